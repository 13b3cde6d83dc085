"""The parts by themselves: ticks, listings, the order of interest, shared lines, and rubbish for each."""

from __future__ import annotations

import asyncio
import math
from contextlib import ExitStack, suppress
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_insync.contract import Contract
from live_feeds import ShiftedClock

from skewline.servers.marketdata.live.ibkr.account import Account, LineBudget
from skewline.servers.marketdata.live.ibkr.decoding import CheckedDecoder
from skewline.servers.marketdata.live.ibkr.interest import by_interest
from skewline.servers.marketdata.live.ibkr.listing import Listed, read_option
from skewline.servers.marketdata.live.ibkr.quote import Quote
from skewline.servers.marketdata.live.ibkr.replies import Replies

ANY = st.floats(allow_nan=True, allow_infinity=True)
TICK = st.integers(-5, 120)
FIELD = st.one_of(st.text(max_size=6), st.integers(-5, 120).map(str), ANY.map(str))


@given(st.lists(st.tuples(st.sampled_from(["price", "size", "model"]), TICK, ANY, ANY), max_size=30))
def test_any_ticks_leave_a_quote_whose_derived_numbers_are_in_order(
    ticks: list[tuple[str, int, float, float]],
) -> None:
    quote = Quote()
    for kind, tick, first, second in ticks:
        if kind == "size":
            quote.size(tick, first)
        else:
            getattr(quote, kind)(tick, first, second)
    assert 0 <= quote.vendor_iv < 100
    assert 0 <= quote.underlying < 1e12
    assert 0 <= quote.volume < 1e12
    assert 0 <= quote.open_interest < 1e12
    assert math.isnan(quote.spot) or 0 < quote.spot < 1e12


@given(st.lists(st.one_of(st.lists(FIELD, max_size=25), st.tuples(TICK.map(str), FIELD, FIELD).map(list))))
def test_any_message_is_read_or_counted(messages: list[list[str]]) -> None:
    async def read() -> None:
        replies = Replies(ShiftedClock())
        decoder = CheckedDecoder(replies)
        decoder.serverVersion = 176
        for fields in messages:
            decoder.interpret(fields)
        assert replies.messages == len(messages)
        assert replies.unread_count <= len(messages)

    asyncio.run(read())


@pytest.mark.parametrize("tick", [66, 67, 68, 69, 70, 74, 75, 83])
def test_a_delayed_tick_makes_a_quote_delayed_whatever_was_said(tick: int) -> None:
    quote = Quote()
    if tick == 83:
        quote.model(tick, 0.2, 100.0)
    elif tick in (69, 70, 74):
        quote.size(tick, 1.0)
    else:
        quote.price(tick, 5.0, 1.0)
    assert quote.delayed


def details(**changed: Any) -> Any:
    fields: dict[str, Any] = {
        "conId": 7,
        "symbol": "SPX",
        "localSymbol": "SPXW  260731C06250000",
        "tradingClass": "SPXW",
        "lastTradeDateOrContractMonth": "20260731",
        "strike": 6250.0,
        "right": "C",
        "multiplier": "100",
    }
    contract = Contract(**{**fields, **changed})
    return SimpleNamespace(contract=contract, realExpirationDate="20260731")


def test_an_option_is_what_its_symbol_says() -> None:
    option = read_option(details())
    assert (option.root, option.expiry_date, option.strike) == ("SPXW", date(2026, 7, 31), Decimal(6250))
    assert (option.is_call, option.multiplier) == (True, Decimal(100))
    assert option.contract.exchange == "SMART"


def test_of_an_option_without_an_exchanges_symbol_the_fields_make_one() -> None:
    option = read_option(details(localSymbol="C SPXW 31 JUL 26 6250"))
    assert (option.root, option.expiry_date, option.is_call) == ("SPXW", date(2026, 7, 31), True)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"right": "X"}, "right 'X' is neither call nor put"),
        ({"right": "P"}, "is not the P at 6250.0"),
        ({"strike": 6255.0}, "is not the C at 6255.0"),
        ({"strike": 0.0}, "strike 0.0 is no positive number"),
        ({"strike": math.nan}, "strike nan is no positive number"),
        ({"strike": math.inf}, "strike inf is no positive number"),
        ({"multiplier": ""}, "multiplier '' is no number"),
        ({"multiplier": "-100"}, "multiplier '-100' is no positive number"),
        ({"conId": 0}, "has the id 0"),
        ({"localSymbol": "?", "strike": 6250.00001}, "has more than 3 decimals"),
        ({"localSymbol": "?", "tradingClass": "spx!"}, "root 'spx!' must be"),
    ],
)
def test_an_option_that_is_none_is_told(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault.replace("(", r"\(")):
        read_option(details(**changed))


@given(
    st.text(max_size=30), st.text(max_size=8), ANY, st.text(max_size=5), st.text(max_size=5), st.integers()
)
def test_any_option_is_read_or_refused_with_words(
    symbol: str, root: str, strike: float, right: str, multiplier: str, con_id: int
) -> None:
    row = details(
        localSymbol=symbol, tradingClass=root, strike=strike, right=right, multiplier=multiplier, conId=con_id
    )
    # Nothing but a ValueError, whose words are told.
    with suppress(ValueError):
        assert read_option(row).con_id == con_id


WEEKLY = date(2026, 7, 31)


def listed(con_id: int, strike: float, expiry: date = WEEKLY) -> Listed:
    return Listed(con_id, "XYZ", expiry, Decimal(str(strike)), True, Decimal(100), Contract(conId=con_id))


def test_nearest_the_money_and_nearest_in_time_come_first() -> None:
    near = [listed(n, strike) for n, strike in enumerate((90.0, 100.0, 110.0))]
    later = [listed(20 + n, strike, date(2026, 8, 21)) for n, strike in enumerate((90.0, 100.0, 110.0))]
    order = by_interest([*later, *near], 101.0, 0)
    assert [option.con_id for option in order] == [1, 2, 21, 0, 22, 20]
    assert [option.con_id for option in by_interest([*near, *later], 101.0, 1)] == [1, 21]


def test_without_a_spot_the_middle_strike_is_the_money() -> None:
    options = [listed(n, 50.0 + 10 * n) for n in range(5)]
    assert [option.con_id for option in by_interest(options, math.nan, 1)] == [2]
    assert by_interest([], math.nan, 0) == []


def test_lines_are_shared_evenly_and_never_more_than_there_are() -> None:
    budget = LineBudget(10)
    with budget.share("one") as one:
        assert sum(one.take() for _ in range(20)) == 10
        with budget.share("two") as two:
            # The first has to let go before the second can have its half.
            assert (two.most, two.take(), one.take()) == (5, False, False)
            for _ in range(6):
                one.give_back()
            assert sum(two.take() for _ in range(20)) == 5
            assert sum(one.take() for _ in range(20)) == 1
        assert sum(one.take() for _ in range(20)) == 5


def test_fewer_lines_than_were_said_hold_until_the_next_connection() -> None:
    budget = LineBudget(10)
    with budget.share("one") as one:
        assert sum(one.take() for _ in range(7)) == 7
        assert one.refused() == 6
        assert (one.most, one.take()) == (6, False)
    with budget.share("one") as one:
        assert one.most == 10


def test_each_connection_has_the_lowest_client_id_that_is_free() -> None:
    ids = Account(lines=10, client_id=20).client_ids
    with ExitStack() as first, ids.one() as second:
        taken = first.enter_context(ids.one())
        assert (second, taken) == (20, 21)
        first.close()
        with ids.one() as third:
            assert third == 21
