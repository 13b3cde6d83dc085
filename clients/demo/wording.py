"""How numbers, times and enums of the contract are written for people."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from skewline.clients.values import decimal_of
from skewline.v1 import common_pb2, order_pb2, signal_pb2, surface_pb2

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROVENANCE: Final = {
    common_pb2.PROVENANCE_LIVE: "live",
    common_pb2.PROVENANCE_DELAYED: "delayed",
    common_pb2.PROVENANCE_RECORDED: "recorded",
    common_pb2.PROVENANCE_SIMULATED: "SIMULATED",
}


def money(value: common_pb2.Decimal | Decimal | float) -> str:
    """An amount of currency to the cent, with thousands; "–" where it is not finite."""
    if isinstance(value, common_pb2.Decimal):
        value = decimal_of(value)
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.2f}"
    return "0.00" if text == "-0.00" else text


def count(value: common_pb2.Decimal | Decimal | int) -> str:
    """A quantity without trailing zeros."""
    if isinstance(value, common_pb2.Decimal):
        value = decimal_of(value)
    return f"{Decimal(value).normalize():,f}"


def price(value: common_pb2.Decimal) -> str:
    """An order price, exactly, with at least two decimals."""
    whole = decimal_of(value).normalize()
    return f"{whole:.2f}" if int(whole.as_tuple().exponent) > -2 else f"{whole:f}"


def vol(value: float) -> str:
    """A volatility in percent; "–" where there is none."""
    return f"{value * 100:.2f} %" if math.isfinite(value) else "–"


def number(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, with thousands; "–" where it is not finite."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def moment(time_ns: int) -> datetime:
    """The instant, UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=time_ns // 1_000)


def clock(time_ns: int) -> str:
    """The instant as people write it, UTC; "–" for zero."""
    return f"{moment(time_ns):%Y-%m-%d %H:%M:%S}" if time_ns else "–"


def provenance(value: common_pb2.Provenance.ValueType) -> str:
    """Where a number comes from; simulated data in capitals."""
    return _PROVENANCE.get(value, "unstated")


def strategy(value: signal_pb2.Strategy.ValueType) -> str:
    """E.g. "mean reversion"."""
    return _words(signal_pb2.Strategy.Name(value), "STRATEGY_")


def order_status(value: order_pb2.OrderStatus.ValueType) -> str:
    """E.g. "partially filled"."""
    return _words(order_pb2.OrderStatus.Name(value), "ORDER_STATUS_")


def fit_status(value: surface_pb2.FitStatus.ValueType) -> str:
    """E.g. "good"."""
    return _words(surface_pb2.FitStatus.Name(value), "FIT_STATUS_")


def side(value: common_pb2.Side.ValueType) -> str:
    """Either "buy" or "sell"."""
    return _words(common_pb2.Side.Name(value), "SIDE_")


def _words(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).replace("_", " ").lower()
