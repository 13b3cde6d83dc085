"""Members of a venue's objects, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 1e300
_SHOWN: Final = 120


class Malformed(ValueError):
    """A member that is missing or none of its kind."""


def text(row: Mapping[str, Any], name: str) -> str:
    """A text that is not empty. Raises Malformed."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name} {shown(value)} is no text")
    return value


def number(row: Mapping[str, Any], name: str, *, none: float) -> float:
    """A number; `none` where the venue says null or nothing. Raises Malformed."""
    value = row.get(name)
    if value is None:
        return none
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST:
        raise Malformed(f"{name} {shown(value)} is no number")
    return float(value)


def price(row: Mapping[str, Any], name: str) -> float:
    """A price or a count, 0 where there is none. Raises Malformed."""
    value = number(row, name, none=0.0)
    if value < 0:
        raise Malformed(f"{name} {value} is below zero")
    return value


def positive(row: Mapping[str, Any], name: str) -> float:
    """A number above zero. Raises Malformed."""
    value = number(row, name, none=0.0)
    if not value > 0:
        raise Malformed(f"{name} {value} is not above zero")
    return value


def shown(value: object) -> str:
    """The beginning of a value, for an error."""
    return repr(value)[:_SHOWN]
