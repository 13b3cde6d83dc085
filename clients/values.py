"""Python values as the contract's: exact decimals, instants."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from skewline.clients.errors import bad_input
from skewline.v1 import common_pb2

_BILLION: Final = 1_000_000_000
_PRECISION: Final = 38
_MOST_UNITS: Final = 2**63 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Exact: TypeAlias = decimal.Decimal | int | str
"""An exact number; a float is none."""

Instant: TypeAlias = datetime | int
"""A datetime with a time zone, or ns since the epoch, UTC; 0 where the contract gives it a meaning."""


def exact(field: str, value: Exact) -> common_pb2.Decimal:
    """The message for an exact number. Raises SkewlineError that names `field`."""
    if not isinstance(value, decimal.Decimal | int | str) or isinstance(value, bool):
        raise bad_input(field, f"must be exact: a decimal.Decimal, int or text, not {type(value).__name__}")
    with decimal.localcontext(prec=_PRECISION):
        try:
            number = decimal.Decimal(value)
        except decimal.InvalidOperation:
            raise bad_input(field, f"must be a decimal number such as 1.25, not {value!r}") from None
        if not number.is_finite() or abs(number) > _MOST_UNITS:
            raise bad_input(field, f"must be a finite number within ±{_MOST_UNITS}, not {value}")
        units = int(number)
        nanos = (number - units) * _BILLION
        if nanos != nanos.to_integral_value():
            raise bad_input(field, f"must have at most 9 decimals, not {value}")
    return common_pb2.Decimal(units=units, nanos=int(nanos))


def decimal_of(message: common_pb2.Decimal) -> decimal.Decimal:
    """The exact number of a message, without needless zeros."""
    with decimal.localcontext(prec=_PRECISION):
        number = decimal.Decimal(message.units) + decimal.Decimal(message.nanos).scaleb(-9)
        whole = number.to_integral_value()
        return whole if whole == number else number.normalize()


def ns_of(field: str, instant: Instant) -> int:
    """Nanoseconds since the epoch. Raises SkewlineError that names `field` for a datetime without zone."""
    if isinstance(instant, int):
        return instant
    if instant.utcoffset() is None:
        raise bad_input(field, "must have a time zone, such as datetime(…, tzinfo=UTC)")
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000
