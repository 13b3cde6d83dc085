"""Exact decimals between `decimal.Decimal` and the contract's units and nanos."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from skewline.v1 import common_pb2

_NANO: Final = Decimal("1e-9")
_BILLION: Final = 1_000_000_000
_UNITS_MIN, _UNITS_MAX = -(2**63), 2**63 - 1
_PRECISION: Final = 38


def to_decimal(value: common_pb2.Decimal) -> Decimal:
    """The exact value. Raises ValueError for nanos of a billion or more, or of the other sign than units."""
    if abs(value.nanos) >= _BILLION:
        raise ValueError(f"nanos {value.nanos} must lie between -999,999,999 and 999,999,999")
    if value.units * value.nanos < 0:
        raise ValueError(f"units {value.units} and nanos {value.nanos} must have the same sign")
    with localcontext(prec=_PRECISION):
        exact = Decimal(value.units) + Decimal(value.nanos) * _NANO
        whole = exact.to_integral_value()
        return whole if whole == exact else exact.normalize()


def from_decimal(value: Decimal) -> common_pb2.Decimal:
    """The message. Raises TypeError for a float, ValueError past 9 decimals, past int64, or if not finite."""
    if not isinstance(value, Decimal):
        raise TypeError(f"an exact number is a decimal.Decimal, not {type(value).__name__}")
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    with localcontext(prec=_PRECISION):
        units = int(value)
        nanos = (value - units) * _BILLION
        if nanos != nanos.to_integral_value():
            raise ValueError(f"{value} has more than 9 decimals: round it first")
    if not _UNITS_MIN <= units <= _UNITS_MAX:
        raise ValueError(f"{value} is too large: its whole part must fit int64")
    return common_pb2.Decimal(units=units, nanos=int(nanos))


def price_from_float(price: float) -> Decimal:
    """The decimal number that a market price's shortest text shows, rounded half to even at 9 places.

    Raises ValueError if it is not finite or does not fit int64 whole units.
    """
    if not math.isfinite(price) or abs(price) >= _UNITS_MAX:
        raise ValueError(f"price {price} is not a finite number that fits int64")
    exact = Decimal(repr(float(price)))
    with localcontext(prec=_PRECISION):
        rounded = exact.quantize(_NANO, ROUND_HALF_EVEN)
    return exact if rounded == exact else rounded
