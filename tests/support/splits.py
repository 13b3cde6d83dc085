"""Corporate actions for tests."""

from __future__ import annotations

from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND, SPLIT, SYMBOL_CHANGE, completed
from skewline.v1 import common_pb2, corporate_action_pb2


def split(
    underlying: str = "AAPL", ex_date: str = "2014-06-09", new: int = 7, old: int = 1
) -> corporate_action_pb2.CorporateAction:
    """Apple's, unless said otherwise."""
    return completed(
        corporate_action_pb2.CorporateAction(
            kind=SPLIT, underlying=underlying, ex_date=ex_date, new_units=new, old_units=old
        )
    )


def symbol_change(
    underlying: str = "FB", new_symbol: str = "META", ex_date: str = "2022-06-09"
) -> corporate_action_pb2.CorporateAction:
    """Meta's, unless said otherwise."""
    return completed(
        corporate_action_pb2.CorporateAction(
            kind=SYMBOL_CHANGE, underlying=underlying, ex_date=ex_date, new_symbol=new_symbol
        )
    )


def dividend(
    underlying: str = "AAPL", ex_date: str = "2014-08-07", cents: int = 47
) -> corporate_action_pb2.CorporateAction:
    """Apple's, unless said otherwise."""
    return completed(
        corporate_action_pb2.CorporateAction(
            kind=CASH_DIVIDEND,
            underlying=underlying,
            ex_date=ex_date,
            amount=common_pb2.Decimal(units=cents // 100, nanos=cents % 100 * 10_000_000),
            currency="USD",
        )
    )
