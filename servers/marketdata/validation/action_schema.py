"""Whether corporate actions say what is needed to adjust for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND, SPLIT, SYMBOL_CHANGE, same_terms
from skewline.servers.runtime.validation import Validation
from skewline.v1 import corporate_action_pb2

# Beyond any split there was, far below what exact decimals hold.
_MOST_RATIO: Final = 10_000
_MOST_UNITS: Final = 10**9
_MOST_AMOUNT: Final = 1_000_000
_LONGEST: Final = 64
# Well within what int64 nanoseconds hold.
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


def check_actions(actions: Iterable[corporate_action_pb2.CorporateAction], validation: Validation) -> None:
    """Record what is wrong with `actions`, by field with its fix."""
    known: dict[tuple[int, str, str], tuple[int, corporate_action_pb2.CorporateAction]] = {}
    for place, action in enumerate(actions):
        within = validation.within("corporate_actions", place)
        _check(action, within)
        # Kind, underlying and ex_date are its identity.
        first, told = known.setdefault((action.kind, action.underlying, action.ex_date), (place, action))
        fix = f"has other terms in corporate_actions[{first}]; give one, dividends of a day added up"
        within.check(same_terms(told, action), "ex_date", fix)


def _check(action: corporate_action_pb2.CorporateAction, v: Validation) -> None:
    v.enum("kind", action.kind, corporate_action_pb2.CorporateActionKind)
    check_symbol(v, "underlying", action.underlying)
    fix = f"must be YYYY-MM-DD from {_FIRST_YEAR} to {_LAST_YEAR}, not {action.ex_date!r}"
    in_reach = is_date(action.ex_date) and _FIRST_YEAR <= int(action.ex_date[:4]) <= _LAST_YEAR
    v.check(in_reach, "ex_date", fix)
    v.max_length("source", action.source, 4 * _LONGEST)
    if action.kind != SYMBOL_CHANGE:
        v.check(not action.new_symbol, "new_symbol", "is for a change of symbol; leave it empty")
    if action.kind == SPLIT:
        _check_ratio(action, v)
    elif action.kind == CASH_DIVIDEND:
        if v.present("amount", action.HasField("amount")) and v.positive_decimal("amount", action.amount):
            fix = f"must be at most {_MOST_AMOUNT} a unit, not {action.amount.units}"
            v.check(action.amount.units <= _MOST_AMOUNT, "amount", fix)
        v.required("currency", action.currency)
    elif action.kind == SYMBOL_CHANGE:
        check_symbol(v, "new_symbol", action.new_symbol)
        fix = "must differ from underlying"
        v.check(action.new_symbol != action.underlying, "new_symbol", fix)


def _check_ratio(action: corporate_action_pb2.CorporateAction, v: Validation) -> None:
    for name, units in (("new_units", action.new_units), ("old_units", action.old_units)):
        v.check(0 < units <= _MOST_UNITS, name, f"must be from 1 to {_MOST_UNITS}, not {units}")
    new, old = action.new_units, action.old_units
    if new and old:
        v.check(new != old, "new_units", f"must differ from old_units: {new} for {old} changes nothing")
        fix = f"must be at most {_MOST_RATIO} for 1, either way; not {new} for {old}"
        v.check(max(new, old) <= _MOST_RATIO * min(new, old), "new_units", fix)


def check_symbol(v: Validation, name: str, symbol: str) -> None:
    """Record what is wrong with the symbol of an underlying, which is a token of bus subjects."""
    if v.required(name, symbol):
        v.max_length(name, symbol, _LONGEST)
        v.check(not set(" .*>\t\r\n") & set(symbol), name, "must have no space, dot, '*' or '>'")


def is_date(text: str) -> bool:
    """Whether `text` is a day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
