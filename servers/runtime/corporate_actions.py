"""Corporate actions: when they take effect, and what they make of contracts and prices.

Contracts are adjusted as the Options Clearing Corporation does (By-Laws, Article VI, section 11A): n whole
units for one make n contracts of each; any other ratio changes the units that a contract delivers, under a
root of its own; the strike is divided by the ratio and rounded to the cent. Ordinary cash dividends change no
contract. One thing is Skewline's own: strikes are per unit of underlying always, also where a reverse split
leaves the listed one as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """Those of an underlying, those that gave it its symbol, and those of its earlier symbols until then."""
    found: dict[str, corporate_action_pb2.CorporateAction] = {}
    known = list(actions)
    symbols: list[tuple[str, int | None]] = [(underlying, None)]
    for symbol, until_ns in symbols:
        for action in known:
            if symbol not in (action.underlying, action.new_symbol) or action.action_id in found:
                continue
            if until_ns is None or action.effective_ns <= until_ns:
                found[action.action_id] = action
                if action.new_symbol == symbol:
                    symbols.append((action.underlying, action.effective_ns))
    return list(found.values())


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
    renamed = {(a.effective_ns, a.new_symbol) for a in chosen if a.kind == SYMBOL_CHANGE}

    def place(action: corporate_action_pb2.CorporateAction) -> tuple[int, int, str]:
        # On the day of a change of symbol: what is told of the old one, the change, what is told of the new.
        of_new = (action.effective_ns, action.underlying) in renamed
        stage = 1 if action.kind == SYMBOL_CHANGE else 2 * of_new
        return action.effective_ns, stage, action.action_id

    return sorted(chosen, key=place)


def newly_in_effect(
    actions: Iterable[corporate_action_pb2.CorporateAction],
    underlying: str,
    seen_ns: Callable[[str], int],
    until_ns: int,
) -> list[corporate_action_pb2.CorporateAction]:
    """Those that adjust contracts at the snapshot of `underlying` at `until_ns`, in their order.

    `seen_ns` is the data time of the last snapshot of a symbol before it, 0 without any. What took effect
    under an earlier symbol is not new where a snapshot of that has seen it.
    """
    seen = seen_ns(underlying)
    chosen = [a for a in actions if max(seen, seen_ns(a.new_symbol or a.underlying)) < a.effective_ns]
    return taking_effect(chosen, 0, until_ns)


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


def is_adjusted_root(root: str, underlying: str) -> bool:
    """Whether contracts of `root` deliver other than the usual units of `underlying`: AAPL1 beside AAPL."""
    stem = root.rstrip("0123456789")
    numbered = stem != root and root != underlying
    return numbered and underlying.startswith(stem) and len(stem) >= min(len(underlying), _LONGEST_ROOT - 1)


def _own_root(root: str) -> str:
    """The root of contracts that deliver another number of units: AAPL1 after AAPL, AAPL2 after AAPL1."""
    stem = root.rstrip("0123456789")
    number = str(int(root[len(stem) :] or 0) + 1)
    return stem[: _LONGEST_ROOT - len(number)] + number
