"""What splits, dividends and symbol changes make of contracts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from splits import dividend, split, symbol_change

from skewline.servers.runtime.corporate_actions import (
    adjusted,
    concerning,
    in_words,
    is_adjusted_root,
    newly_in_effect,
    price_ratio,
    taking_effect,
)
from skewline.v1 import corporate_action_pb2

DAY_NS = 86_400 * 10**9
HUNDRED = Decimal(100)


@pytest.mark.parametrize(
    ("action", "before", "after", "multiplier", "contracts"),
    [
        # The exchange listed 70.71, 71.43 and 72.14 on 2014-06-09 for 495, 500 and 505.
        (split(), "AAPL  140613C00495000", "AAPL  140613C00070710", 100, 7),
        (split(), "AAPL  140613C00500000", "AAPL  140613C00071430", 100, 7),
        (split(), "AAPL  140613P00505000", "AAPL  140613P00072140", 100, 7),
        (split("X", new=3, old=2), "X     140613C00045000", "X1    140613C00030000", 150, 1),
        (split("TWX", new=1, old=3), "TWX   140613P00010000", "TWX1  140613P00030000", "33.333333333", 1),
        (split("X", new=3, old=2), "X1    140613C00045000", "X2    140613C00030000", 150, 1),
        (split("GOOGLE", new=3, old=2), "GOOGLE140613C00045000", "GOOGL1140613C00030000", 150, 1),
        (symbol_change(), "FB    220617C00200000", "META  220617C00200000", 100, 1),
        (symbol_change(), "FB1   220617C00200000", "META1 220617C00200000", 100, 1),
        (symbol_change("FB", "METAXX"), "FB1   220617C00200000", "METAX1220617C00200000", 100, 1),
    ],
)
def test_a_contract_becomes_what_clearing_makes_of_it(
    action: corporate_action_pb2.CorporateAction,
    before: str,
    after: str,
    multiplier: int | str,
    contracts: int,
) -> None:
    found = adjusted(action, before, action.underlying, HUNDRED)
    assert found is not None
    assert (found.instrument_id, found.contracts) == (after, Decimal(contracts))
    assert found.multiplier == Decimal(multiplier)
    assert found.underlying == (action.new_symbol or action.underlying)
    assert found.strike == Decimal(after[13:]) / 1000


@pytest.mark.parametrize(
    ("action", "instrument_id", "underlying"),
    [
        (dividend(), "AAPL  140613C00495000", "AAPL"),
        (split(), "MSFT  140613C00040000", "MSFT"),
        (split("BTC"), "BTC-27SEP24-60000-C", "BTC"),
    ],
)
def test_what_an_action_does_not_concern_stays(
    action: corporate_action_pb2.CorporateAction, instrument_id: str, underlying: str
) -> None:
    assert adjusted(action, instrument_id, underlying, HUNDRED) is None


@pytest.mark.parametrize(
    ("action", "instrument_id"),
    [
        (split(new=1, old=1000), "AAPL  140613C00495000"),
        (symbol_change("FB", "META-A"), "FB    220617C00200000"),
    ],
)
def test_what_would_have_no_symbol_stays(
    action: corporate_action_pb2.CorporateAction, instrument_id: str
) -> None:
    assert adjusted(action, instrument_id, action.underlying, HUNDRED) is None


def test_it_takes_effect_once_between_two_snapshots_and_dividends_never_do() -> None:
    first, second = split(ex_date="2014-06-09"), split(ex_date="2014-06-10", new=2)
    midnight = first.effective_ns
    both = [second, dividend(ex_date="2014-06-09"), first]
    assert taking_effect(both, midnight - 1, midnight + DAY_NS) == [first, second]
    assert taking_effect(both, midnight - DAY_NS, midnight - 1) == []
    assert taking_effect(both, midnight, midnight + DAY_NS - 1) == []


def test_prices_before_and_the_words_for_it() -> None:
    assert price_ratio(split()) * 700.0 == 100.0
    assert price_ratio(symbol_change()) == price_ratio(dividend()) == 1.0
    assert in_words(split()) == "SPLIT 7:1 of AAPL on 2014-06-09"
    assert in_words(dividend()) == "CASH_DIVIDEND 0.47 USD of AAPL on 2014-08-07"
    assert in_words(symbol_change()) == "SYMBOL_CHANGE of FB to META on 2022-06-09"


def test_on_the_day_of_a_new_symbol_what_is_told_of_either_finds_its_contracts() -> None:
    day = "2022-06-09"
    change = symbol_change(ex_date=day)
    midnight = change.effective_ns
    for ratio in range(2, 12):
        old, new = split("FB", day, ratio), split("META", day, ratio)
        assert taking_effect([new, change, old], 0, midnight) == [old, change, new]


def test_a_symbol_is_concerned_by_what_happened_to_it_under_earlier_ones_until_it_had_another() -> None:
    changes = [symbol_change("A", "B", "2020-01-02"), symbol_change("B", "C", "2021-01-04")]
    of_c = [*changes, split("A", "2019-01-02"), split("B", "2020-06-01"), split("C", "2022-01-03")]
    # A and B are others' symbols since.
    others = [split("A", "2020-02-03"), split("B", "2021-02-01"), split("X", "2020-06-01")]
    assert sorted(each.action_id for each in concerning([*others, *of_c], "C")) == sorted(
        each.action_id for each in of_c
    )
    back = [symbol_change("A", "B", "2020-01-02"), symbol_change("B", "A", "2021-01-04")]
    assert len(concerning(back, "A")) == len(concerning(back, "B")) == 2


def test_what_a_snapshot_of_the_earlier_symbol_has_seen_is_not_new_under_the_later_one() -> None:
    of_old, change = split("FB", "2022-06-01"), symbol_change(ex_date="2022-06-09")
    until_ns = change.effective_ns + 1
    seen = {"FB": of_old.effective_ns + 1}
    both = [of_old, change]
    assert newly_in_effect(both, "META", lambda name: seen.get(name, 0), until_ns) == [change]
    seen = {"FB": of_old.effective_ns - 1}
    assert newly_in_effect(both, "META", lambda name: seen.get(name, 0), until_ns) == [of_old, change]
    seen["META"] = until_ns
    assert newly_in_effect(both, "META", lambda name: seen.get(name, 0), until_ns + 1) == []


@pytest.mark.parametrize(
    ("root", "underlying", "adjusted_one"),
    [
        ("AAPL1", "AAPL", True),
        ("AAPL7", "AAPL", True),
        ("GOOGL1", "GOOGLE", True),
        ("AAPL", "AAPL", False),
        ("SPXW", "SPX", False),
        ("U1", "U1", False),
        ("2020", "2020", False),
        ("A1", "AAPL", False),
        ("", "AAPL", False),
    ],
)
def test_a_root_with_a_number_behind_the_symbol_is_of_adjusted_contracts(
    root: str, underlying: str, adjusted_one: bool
) -> None:
    assert is_adjusted_root(root, underlying) is adjusted_one
