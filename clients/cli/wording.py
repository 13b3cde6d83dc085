"""Numbers, times and enum values as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from rich.text import Text

from skewline.clients.values import decimal_of
from skewline.v1 import common_pb2

_CENT: Final = Decimal("0.01")
_BILLION: Final = 1_000_000_000
NONE: Final = "–"


def time_text(ns: int) -> str:
    """`2019-04-25 19:45:00 UTC`, with a fraction where there is one."""
    if not ns:
        return NONE
    seconds, nanos = divmod(ns, _BILLION)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}{fraction} UTC"


def money(message: common_pb2.Decimal, currency: str = "") -> str:
    """An amount, exact, with at least two decimals."""
    amount = decimal_of(message)
    shown = amount.quantize(_CENT) if amount == amount.quantize(_CENT) else amount
    return f"{shown:,f} {currency}".rstrip()


def quantity(message: common_pb2.Decimal) -> str:
    """An exact number of units or contracts."""
    return f"{decimal_of(message):,f}"


def number(value: float, decimals: int = 2) -> str:
    """A model number, rounded; a dash where there is none."""
    return f"{value:,.{decimals}f}" if math.isfinite(value) else NONE


def plain_number(value: float) -> str:
    """A number that someone set, as it was set."""
    return f"{value:,.12g}"


def percent(value: float, decimals: int = 2) -> str:
    """A fraction as a percentage."""
    return f"{100 * value:.{decimals}f} %" if math.isfinite(value) else NONE


def word(enum: Any, value: int) -> str:
    """An enum's value without its prefix, in small letters: `partially filled`; a dash for unspecified."""
    prefix = "".join(f"_{c}" if c.isupper() else c for c in enum.DESCRIPTOR.name).lstrip("_").upper() + "_"
    known = enum.DESCRIPTOR.values_by_number.get(value)
    name = str(value) if known is None else known.name.removeprefix(prefix).replace("_", " ").lower()
    return NONE if name == "unspecified" else name


def provenance(value: int) -> Text:
    """Where data comes from; simulated data stands out."""
    if value == common_pb2.PROVENANCE_SIMULATED:
        return Text("SIMULATED", style="bold yellow")
    return Text(word(common_pb2.Provenance, value))
