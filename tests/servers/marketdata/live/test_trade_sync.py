"""Trades in the order of their ids, each once, whatever order they come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skewline.servers.marketdata.live.binance_payload import Trade
from skewline.servers.marketdata.live.trade_sync import TradeSync


def trades(*ids: int) -> list[Trade]:
    return [Trade(each, each, 1.0, 1.0, is_buy=True) for each in ids]


def ids(sync: TradeSync) -> list[int]:
    return [each.trade_id for each in sync.ready()]


def test_it_begins_with_the_first_that_comes() -> None:
    sync = TradeSync(None)
    sync.take(trades(7, 8))
    assert (ids(sync), sync.missing) == ([7, 8], None)
    assert ids(sync) == []


def test_it_goes_on_behind_the_last_that_was_stored() -> None:
    sync = TradeSync(5)
    sync.take(trades(4, 5, 9))
    assert (ids(sync), sync.missing) == ([], (6, 8))
    sync.take(trades(6, 7))
    assert (ids(sync), sync.missing) == ([6, 7], (8, 8))
    sync.give_up()
    assert (ids(sync), sync.missing) == ([9], None)


@given(st.permutations(list(range(10, 25))), st.lists(st.integers(10, 24), max_size=5))
def test_any_order_and_any_repeats_come_out_in_order_and_once(order: list[int], repeats: list[int]) -> None:
    sync = TradeSync(9)
    heard = []
    for each in [*order, *repeats, *order[:3]]:
        sync.take(trades(each))
        heard += ids(sync)
    assert heard == list(range(10, 25))
    assert sync.missing is None


@given(st.sets(st.integers(1, 60), min_size=1))
def test_what_is_given_up_and_what_is_ready_are_all(there: set[int]) -> None:
    sync, given_up, heard = TradeSync(0), set[int](), []
    sync.take(trades(*there))
    while sync.missing is not None:
        heard += ids(sync)
        first, last = sync.missing
        given_up |= set(range(first, last + 1))
        sync.give_up()
    heard += ids(sync)
    assert heard == sorted(there)
    assert given_up == set(range(1, max(there) + 1)) - there
