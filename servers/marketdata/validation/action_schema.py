"""Whether corporate actions say what is needed to adjust for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND, SPLIT, SYMBOL_CHANGE
from skewline.servers.runtime.validation import Validation
from skewline.v1 import corporate_action_pb2

# Beyond any split there was, far below what exact decimals hold.
_MOST_RATIO: Final = 10_000
_MOST_UNITS: Final = 10**9
_MOST_AMOUNT: Final = 1_000_000
_LONGEST: Final = 64


def check_actions(actions: Iterable[corporate_action_pb2.CorporateAction], validation: Validation) -> None:
    """Record what is wrong with `actions`, by field with its fix."""
    for place, action in enumerate(actions):
        _check(action, validation.within("corporate_actions", place))


def _check(action: corporate_action_pb2.CorporateAction, v: Validation) -> None:
    v.enum("kind", action.kind, corporate_action_pb2.CorporateActionKind)
    _check_symbol(v, "underlying", action.underlying)
    v.check(is_date(action.ex_date), "ex_date", f"must be YYYY-MM-DD, not {action.ex_date!r}")
    v.max_length("source", action.source, 4 * _LONGEST)
    if action.kind == SPLIT:
        _check_ratio(action, v)
    elif action.kind == CASH_DIVIDEND:
        if v.present("amount", action.HasField("amount")) and v.positive_decimal("amount", action.amount):
            fix = f"must be at most {_MOST_AMOUNT} a unit, not {action.amount.units}"
            v.check(action.amount.units <= _MOST_AMOUNT, "amount", fix)
        v.required("currency", action.currency)
    elif action.kind == SYMBOL_CHANGE:
        _check_symbol(v, "new_symbol", action.new_symbol)
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


def _check_symbol(v: Validation, name: str, symbol: str) -> None:
    if v.required(name, symbol):
        v.max_length(name, symbol, _LONGEST)
        v.check(not set(" .*>\t\r\n") & set(symbol), name, "must have no space, dot, '*' or '>'")


def is_date(text: str) -> bool:
    """Whether `text` is a day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
