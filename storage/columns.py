"""Column types shared by every service's tables; the same values on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import zlib
from decimal import Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, TypeVar

import zstandard
from google.protobuf.message import Message
from sqlalchemy import BigInteger, Dialect, LargeBinary, Numeric, Text, TypeDecorator
from sqlalchemy.types import TypeEngine
from typing_extensions import override

_SCALE = Decimal("1e-9")
_PRECISION = 38
_RAW = b"\x00"
_DEFLATED = b"\x01"
_ZSTANDARD = b"\x02"
# On chains the higher levels cost several times the processor time for a few per cent.
_LEVEL = 3
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1

MessageT = TypeVar("MessageT", bound=Message)


class ExactDecimal(TypeDecorator[Decimal]):
    """Exact money, price or quantity: up to 29 integer digits and 9 decimals, in and out a `Decimal`.

    NUMERIC(38, 9) on PostgreSQL, plain decimal text on SQLite, which has no exact decimal: never a float
    in between. The text is canonical, so `=` works in SQL on both, but `<`, `ORDER BY` and `SUM` not on
    SQLite: order by time or id, and add up in Python. A value read back has no trailing zeros.
    Raises `TypeError` for a float or int, `ValueError` for NaN, infinities and digits that would be lost.
    """

    impl = Numeric
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric(_PRECISION, 9, asdecimal=True))

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = canonical_decimal(value)
        return format(exact, "f") if dialect.name == "sqlite" else exact

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else canonical_decimal(Decimal(value))


def canonical_decimal(value: Decimal) -> Decimal:
    """`value` with no trailing zeros and no positive exponent, checked to fit NUMERIC(38, 9) without loss."""
    # Prices and multipliers come again by the thousand. What is no finite Decimal has no place in the memory.
    known = isinstance(value, Decimal) and value.is_finite()
    return (_remembered if known else _canonical)(value)


def _canonical(value: Decimal) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError(
            f"an exact column takes decimal.Decimal, not {type(value).__name__}: convert it at the boundary"
        )
    with localcontext(prec=_PRECISION) as context:
        try:
            scaled = value.quantize(_SCALE, context=context)
        except InvalidOperation as error:
            raise ValueError(f"{value} is not a finite number of at most 29 integer digits") from error
        if scaled != value:
            raise ValueError(f"{value} has more than 9 decimals: round it to the contract's tick first")
        whole = scaled.to_integral_value(context=context)
        # Without the addition of zero, -0 would be stored as another text than 0.
        return (whole if whole == scaled else scaled.normalize(context)) + Decimal(0)


_remembered = lru_cache(maxsize=8192)(_canonical)


class NanoTime(TypeDecorator[int]):
    """An instant: int64 nanoseconds since the epoch, UTC. Raises `TypeError` or `ValueError` for others."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(
                f"a time column takes int nanoseconds since the epoch, not {type(value).__name__}"
            )
        if not _INT64_MIN <= value <= _INT64_MAX:
            raise ValueError(f"{value} does not fit int64 nanoseconds since the epoch")
        return value


class Blob(TypeDecorator[bytes]):
    """Bytes as they are; with `compressed=True` stored compressed (Zstandard) where that is shorter."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, compressed: bool = False) -> None:
        super().__init__()
        self.compressed = compressed

    @override
    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None or not self.compressed:
            return value
        return _compress(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        return _decompress(bytes(value)) if self.compressed else bytes(value)


class CompressedProto(TypeDecorator[MessageT]):
    """A protobuf message of one type, stored as its deterministic bytes, compressed where that is shorter.

    Exact: doubles come back bit for bit. Raises `TypeError` for a message of another type.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, message_type: type[MessageT]) -> None:
        super().__init__()
        self.message_type = message_type

    @override
    def process_bind_param(self, value: MessageT | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, self.message_type):
            raise TypeError(f"this column takes {self.message_type.__name__}, not {type(value).__name__}")
        return _compress(value.SerializeToString(deterministic=True))

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> MessageT | None:
        return None if value is None else self.message_type.FromString(_decompress(bytes(value)))


class _Zstandard(threading.local):
    """A compressor and a decompressor of each thread's own: making them costs more than a small message."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_zstandard = _Zstandard()


def _compress(raw: bytes) -> bytes:
    compressed = _zstandard.compressor.compress(raw)
    return _ZSTANDARD + compressed if len(compressed) < len(raw) else _RAW + raw


def _decompress(stored: bytes) -> bytes:
    marker, body = stored[:1], stored[1:]
    if marker == _ZSTANDARD:
        return _zstandard.decompressor.decompress(body)
    if marker == _RAW:
        return body
    if marker == _DEFLATED:  # rows of earlier versions
        return zlib.decompress(body)
    raise ValueError(
        f"a compressed column holds an unknown marker {marker!r}: the row was not written by Skewline"
    )
