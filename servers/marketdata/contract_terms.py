"""Terms of contracts where a source does not say: exercise, settlement, multiplier, price increments."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skewline.v1 import chain_pb2, instrument_pb2

EQUITY_OPTION_MULTIPLIER: Final = Decimal(100)
CURRENCY: Final = "USD"

_EUROPEAN_INDICES: Final = frozenset({"DJX", "MRUT", "NDX", "RUT", "SPX", "VIX", "XEO", "XSP"})
_INDICES: Final = _EUROPEAN_INDICES | {"OEX"}
_NOT_HELD: Final = frozenset({"VIX"})
_AM_SETTLED_ROOTS: Final = frozenset({"DJX", "NDX", "RUT", "SPX", "VIX", "VIXW"})


@dataclass(frozen=True, slots=True)
class TickRule:
    """Price increments: `below` the threshold, and `above` from the threshold on."""

    below: Decimal
    threshold: Decimal
    above: Decimal


_INDEX_TICKS: Final = TickRule(Decimal("0.05"), Decimal(3), Decimal("0.10"))
_PENNY_TICKS: Final = TickRule(Decimal("0.01"), Decimal(3), Decimal("0.05"))
_ALWAYS_PENNY_TICKS: Final = TickRule(Decimal("0.01"), Decimal(3), Decimal("0.01"))
_ALWAYS_PENNY: Final = frozenset({"GLD", "IWM", "QQQ", "SPY", "SQQQ", "VIX"})


def exercise_of(underlying: str) -> instrument_pb2.ExerciseStyle.ValueType:
    """European for the cash-settled indices, American for shares and funds."""
    if underlying in _EUROPEAN_INDICES:
        return instrument_pb2.EXERCISE_STYLE_EUROPEAN
    return instrument_pb2.EXERCISE_STYLE_AMERICAN


def is_index(underlying: str) -> bool:
    """Whether it is one of the indices that have options."""
    return underlying in _INDICES


def spot_is_carried(underlying: str) -> bool:
    """Whether forwards follow from the spot by rate and dividend: VIX itself cannot be held."""
    return underlying not in _NOT_HELD


def settlement_of(root: str) -> instrument_pb2.SettlementStyle.ValueType:
    """AM for the roots that settle at the opening, PM for all others."""
    if root in _AM_SETTLED_ROOTS:
        return instrument_pb2.SETTLEMENT_STYLE_AM
    return instrument_pb2.SETTLEMENT_STYLE_PM


def ticks_of(underlying: str) -> TickRule:
    """The exchange's usual increments for options on `underlying`."""
    if underlying in _ALWAYS_PENNY:
        return _ALWAYS_PENNY_TICKS
    return _INDEX_TICKS if is_index(underlying) else _PENNY_TICKS


def kind_of(chain: chain_pb2.OptionChain) -> instrument_pb2.InstrumentKind.ValueType:
    """What the underlying is; options with exchange-native ids are on crypto assets."""
    if chain.symbol:
        return instrument_pb2.INSTRUMENT_KIND_CRYPTO
    if is_index(chain.underlying):
        return instrument_pb2.INSTRUMENT_KIND_INDEX
    return instrument_pb2.INSTRUMENT_KIND_EQUITY
