"""Corporate actions: when they take effect, and what they make of contracts and prices.

Contracts are adjusted as the Options Clearing Corporation does (By-Laws, Article VI, section 11A): n whole
units for one make n contracts of each; any other ratio changes the units that a contract delivers, under a
root of its own; the strike is divided by the ratio and rounded to the cent. Ordinary cash dividends change no
contract. One thing is Skewline's own: strikes are per unit of underlying always, also where a reverse split
leaves the listed one as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from skewline.servers.runtime import new_york
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.instruments import osi_symbol, parse_osi
from skewline.v1 import corporate_action_pb2

SPLIT: Final = corporate_action_pb2.CORPORATE_ACTION_KIND_SPLIT
CASH_DIVIDEND: Final = corporate_action_pb2.CORPORATE_ACTION_KIND_CASH_DIVIDEND
SYMBOL_CHANGE: Final = corporate_action_pb2.CORPORATE_ACTION_KIND_SYMBOL_CHANGE

_CENT: Final = Decimal("0.01")
_NANO: Final = Decimal("1e-9")
_LONGEST_ROOT: Final = 6


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What an action makes of one contract: `contracts` of these. Strike and multiplier as on instruments."""

    instrument_id: str
    underlying: str
    strike: Decimal
    multiplier: Decimal
    contracts: Decimal


def completed(action: corporate_action_pb2.CorporateAction) -> corporate_action_pb2.CorporateAction:
    """`action`, whose ex_date is a date, with its id and the instant at which it takes effect."""
    whole = corporate_action_pb2.CorporateAction()
    whole.CopyFrom(action)
    whole.action_id = derive_id("corporate_action", action.kind, action.underlying, action.ex_date)
    whole.effective_ns = new_york.instant_ns(date.fromisoformat(action.ex_date), time(0))
    return whole


def concerning(
    actions: Iterable[corporate_action_pb2.CorporateAction], underlying: str
) -> list[corporate_action_pb2.CorporateAction]:
    """Those of an underlying, or that gave it its symbol."""
    return [action for action in actions if underlying in (action.underlying, action.new_symbol)]


def same_terms(
    one: corporate_action_pb2.CorporateAction, other: corporate_action_pb2.CorporateAction
) -> bool:
    """Whether two say the same, whoever told them and whether they are `completed`."""
    alike = corporate_action_pb2.CorporateAction()
    alike.CopyFrom(other)
    alike.action_id, alike.effective_ns, alike.source = one.action_id, one.effective_ns, one.source
    return one == alike


def taking_effect(
    actions: Iterable[corporate_action_pb2.CorporateAction], after_ns: int, until_ns: int
) -> list[corporate_action_pb2.CorporateAction]:
    """Those that adjust contracts, in effect after one data time and not after the other, in their order."""
    chosen = [a for a in actions if a.kind != CASH_DIVIDEND and after_ns < a.effective_ns <= until_ns]
    return sorted(chosen, key=lambda action: (action.effective_ns, action.action_id))


def adjusted(
    action: corporate_action_pb2.CorporateAction, instrument_id: str, underlying: str, multiplier: Decimal
) -> Adjusted | None:
    """The contract after `action`; None if that does not concern it, as an exchange-native id's contract.

    None, too, where what it would become has no OSI symbol: then there is no such listed contract.
    """
    if action.kind == CASH_DIVIDEND or action.underlying != underlying:
        return None
    try:
        osi = parse_osi(instrument_id)
    except ValueError:
        return None
    root, strike, contracts, symbol = osi.root, osi.strike, Decimal(1), underlying
    if action.kind == SYMBOL_CHANGE:
        symbol = action.new_symbol
        if root.startswith(underlying):
            suffix = root[len(underlying) :]
            root = symbol[: _LONGEST_ROOT - len(suffix)] + suffix
    else:
        new, old = Decimal(action.new_units), Decimal(action.old_units)
        with localcontext(prec=38):
            strike = (strike * old / new).quantize(_CENT, ROUND_HALF_UP)
            if new % old == 0:
                contracts = new / old
            else:
                multiplier = (multiplier * new / old).quantize(_NANO)
                root = _own_root(root)
    try:
        name = osi_symbol(root, osi.expiry_date, osi.is_call, strike)
    except ValueError:
        return None
    return Adjusted(name, symbol, strike, multiplier, contracts)


def price_ratio(action: corporate_action_pb2.CorporateAction) -> float:
    """By what a price before the action is multiplied to compare with prices after it."""
    return action.old_units / action.new_units if action.kind == SPLIT else 1.0


def in_words(action: corporate_action_pb2.CorporateAction) -> str:
    """What it is, e.g. "SPLIT 7:1 of AAPL on 2014-06-09"."""
    if action.kind == SPLIT:
        return f"SPLIT {action.new_units}:{action.old_units} of {action.underlying} on {action.ex_date}"
    if action.kind == SYMBOL_CHANGE:
        return f"SYMBOL_CHANGE of {action.underlying} to {action.new_symbol} on {action.ex_date}"
    paid = f"{to_decimal(action.amount):f} {action.currency}"
    return f"CASH_DIVIDEND {paid} of {action.underlying} on {action.ex_date}"


def _own_root(root: str) -> str:
    """The root of contracts that deliver another number of units: AAPL1 after AAPL, AAPL2 after AAPL1."""
    stem = root.rstrip("0123456789")
    number = str(int(root[len(stem) :] or 0) + 1)
    return stem[: _LONGEST_ROOT - len(number)] + number
