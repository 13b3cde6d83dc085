"""The contract's exact numbers as the columns take them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from skewline.v1 import common_pb2

_NANO: Final = Decimal("1e-9")


def exact(value: common_pb2.Decimal) -> Decimal:
    """Units and nanos, which the service has checked, as one number."""
    return Decimal(value.units) + value.nanos * _NANO


def message(value: Decimal) -> common_pb2.Decimal:
    """A number from an exact column as units and nanos."""
    units = int(value)
    return common_pb2.Decimal(units=units, nanos=int((value - units).scaleb(9)))
