"""Checks of requests. They collect every field that is wrong, then refuse all at once."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol, Self

from google.protobuf.timestamp_pb2 import Timestamp

from skewline.servers.runtime.errors import FieldViolation, InvalidArgument

_NANOS: Final = 1_000_000_000
_EARLIEST_NS: Final = 0
_LATEST_NS: Final = 7_258_118_400 * _NANOS  # 2200-01-01
_EARLIEST_PLAUSIBLE_NS: Final = 315_532_800 * _NANOS  # 1980-01-01: less is another unit than ns
_MOST_SECONDS: Final = 253_402_300_799  # 9999-12-31, the last of google.protobuf.Timestamp


class DecimalMessage(Protocol):
    """Any message of whole units and billionths, such as `skewline.v1.Decimal`."""

    @property
    def units(self) -> int:
        """Whole part."""

    @property
    def nanos(self) -> int:
        """Billionths."""


class EnumValues(Protocol):
    """Any generated enum, such as `skewline.v1.Side`."""

    def items(self) -> Sequence[tuple[str, int]]:
        """Names and numbers."""


class Validation:
    """Collects what is wrong with one request.

    Each check names the field relative to `within`; `raise_if_any` ends with InvalidArgument that
    carries all of it. A check returns whether the field passed, for checks that build on it.
    """

    def __init__(self, prefix: str = "", violations: list[FieldViolation] | None = None) -> None:
        self._prefix = prefix
        self._violations = [] if violations is None else violations

    def within(self, field: str, index: int | None = None) -> Self:
        """The same collection, for fields of the message `field`, or of its element `index`."""
        name = field if index is None else f"{field}[{index}]"
        return type(self)(f"{self._prefix}{name}.", self._violations)

    @property
    def violations(self) -> tuple[FieldViolation, ...]:
        """What was found wrong so far."""
        return tuple(self._violations)

    def raise_if_any(self) -> None:
        """Raise InvalidArgument with everything found wrong; nothing when all is well."""
        if self._violations:
            raise InvalidArgument(self._violations)

    def check(self, passed: bool, field: str, fix: str) -> bool:
        """Any other condition: record `fix` for `field` unless it `passed`."""
        if not passed:
            self._violations.append(FieldViolation(f"{self._prefix}{field}", fix))
        return passed

    def required(self, field: str, value: str | bytes | Collection[object] | None) -> bool:
        """Text must have a character that is no space; a list, a member; a message must be there."""
        empty = value is None or not (value.strip() if isinstance(value, str | bytes) else value)
        return self.check(not empty, field, "is required; give it a value")

    def present(self, field: str, message_has_it: bool) -> bool:
        """A message field must be set: pass `request.HasField(field)`."""
        return self.check(message_has_it, field, "is required; set it")

    def finite(self, field: str, value: float) -> bool:
        """Neither NaN nor infinite."""
        return self.check(math.isfinite(value), field, f"must be a finite number, not {value}")

    def positive(self, field: str, value: float) -> bool:
        """Finite and above zero."""
        ok = math.isfinite(value) and value > 0
        return self.check(ok, field, f"must be a number above zero, not {value}")

    def non_negative(self, field: str, value: float) -> bool:
        """Finite and not below zero."""
        ok = math.isfinite(value) and value >= 0
        return self.check(ok, field, f"must be zero or a number above it, not {value}")

    def between(self, field: str, value: float, low: float, high: float) -> bool:
        """Finite and `low <= value <= high`."""
        ok = math.isfinite(value) and low <= value <= high
        return self.check(ok, field, f"must be from {low} to {high}, not {value}")

    def enum(self, field: str, value: int, kind: EnumValues) -> bool:
        """A value that the enum has, other than its zero `_UNSPECIFIED`."""
        names = {number: name for name, number in kind.items() if number != 0}
        fix = f"must be one of {', '.join(names.values())}, not {value}"
        return self.check(value in names, field, fix)

    def max_length(self, field: str, value: Collection[object] | str | bytes, longest: int) -> bool:
        """At most `longest` characters or elements."""
        return self.check(len(value) <= longest, field, f"has {len(value)} of at most {longest}; shorten it")

    def equal_length(self, columns: Mapping[str, Collection[object]]) -> bool:
        """Parallel columns, by field name, must be as long as the first of them."""
        lengths = {name: len(column) for name, column in columns.items()}
        if not lengths:
            return True
        first, length = next(iter(lengths.items()))
        for name, other in lengths.items():
            self.check(
                other == length, name, f"has {other} values, but {first} has {length}; make them equal"
            )
        return len(set(lengths.values())) == 1

    def time_ns(self, field: str, value: int) -> bool:
        """Nanoseconds since the epoch between 1980 and 2200; another unit is recognised and said."""
        if _EARLIEST_NS < value < _EARLIEST_PLAUSIBLE_NS:
            return self.check(
                False, field, f"must be in nanoseconds since the epoch; {value} is another unit"
            )
        ok = _EARLIEST_PLAUSIBLE_NS <= value < _LATEST_NS
        return self.check(ok, field, f"must be nanoseconds since the epoch before the year 2200, not {value}")

    def timestamp(self, field: str, value: Timestamp) -> bool:
        """A `google.protobuf.Timestamp` in its own bounds and after the epoch."""
        ok = 0 < value.seconds <= _MOST_SECONDS and 0 <= value.nanos < _NANOS
        return self.check(ok, field, "must be a time after 1970 with nanos from 0 to 999999999")

    def decimal(self, field: str, value: DecimalMessage) -> bool:
        """Units and nanos of one sign, |nanos| < 1e9."""
        if not self.check(abs(value.nanos) < _NANOS, f"{field}.nanos", "must lie within ±999999999"):
            return False
        return self.check(
            value.units * value.nanos >= 0, f"{field}.nanos", "must have the same sign as units"
        )

    def positive_decimal(self, field: str, value: DecimalMessage) -> bool:
        """A valid decimal above zero."""
        return self.decimal(field, value) and self.check(
            value.units > 0 or value.nanos > 0, field, "must be above zero"
        )

    def non_negative_decimal(self, field: str, value: DecimalMessage) -> bool:
        """A valid decimal, zero or above."""
        return self.decimal(field, value) and self.check(
            value.units >= 0 and value.nanos >= 0, field, "must be zero or above"
        )
