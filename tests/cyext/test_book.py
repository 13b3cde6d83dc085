"""Order book: exact levels, ids that must join, measures; against recorded markets and dictionaries."""

import math
import random
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded_depth import Recording, covers, recording

from skewline.cyext.book import Applied, Level, OrderBook

BIDS = [["100.5", "2"], ["100.4", "1"], ["100.2", "5"]]
ASKS = [["100.6", "3"], ["100.9", "4"]]


def book(bids: list[list[str]] = BIDS, asks: list[list[str]] = ASKS) -> OrderBook:
    one = OrderBook(price_decimals=1, quantity_decimals=3)
    one.snapshot(10, bids, asks)
    return one


def state(one: OrderBook) -> list[tuple[list[int], list[int]]]:
    return [(side.ticks.tolist(), side.lots.tolist()) for side in (one.bids(10_000), one.asks(10_000))]


@pytest.fixture(scope="module", params=["spot", "usdm"])
def recorded(request: pytest.FixtureRequest, market_data: Path) -> Recording:
    return recording(market_data, request.param)


def started(recorded: Recording) -> OrderBook:
    one = OrderBook(price_decimals=recorded.price_decimals, quantity_decimals=recorded.quantity_decimals)
    snapshot = recorded.snapshot
    one.snapshot(snapshot["lastUpdateId"], snapshot["bids"], snapshot["asks"])
    return one


def test_the_best_levels_are_the_recorded_ones_after_every_update(recorded: Recording) -> None:
    one = started(recorded)
    tops = iter(recorded.tops)
    top, following = next(tops), next(tops)
    compared = 0
    for update in recorded.updates:
        applied = one.apply(*covers(update), update["b"], update["a"])
        new = update["u"] > recorded.snapshot["lastUpdateId"]
        assert applied is (Applied.APPLIED if new else Applied.STALE)
        while following["u"] <= update["u"] and (later := next(tops, None)):
            top, following = following, later
        if new and top["u"] <= update["u"] < following["u"]:
            best = [one.best_bid, one.best_ask]
            assert [(level.price, level.quantity) for level in best if level] == [
                (float(top[price]), float(top[quantity])) for price, quantity in ("bB", "aA")
            ]
            assert not one.crossed
            compared += 1
    assert compared > 0.99 * len(recorded.after)


def test_all_levels_are_those_of_a_dictionary(recorded: Recording) -> None:
    one = started(recorded)
    sides: list[dict[Decimal, Decimal]] = [{}, {}]
    for message, names in ((recorded.snapshot, ("bids", "asks")), *((u, "ba") for u in recorded.after)):
        for side, name in zip(sides, names, strict=True):
            side.update((Decimal(price), Decimal(quantity)) for price, quantity in message[name])
    for update in recorded.after:
        one.apply(*covers(update), update["b"], update["a"])
    for side, found, best_first in ((sides[0], one.bids(10_000), True), (sides[1], one.asks(10_000), False)):
        left = sorted(((p, q) for p, q in side.items() if q), reverse=best_first)
        assert found.price.tolist() == [float(price) for price, _ in left]
        assert found.quantity.tolist() == [float(quantity) for _, quantity in left]


@pytest.mark.parametrize("seed", range(20))
def test_any_updates_leave_what_a_dictionary_holds(seed: int) -> None:
    draw = random.Random(seed)
    one, bids, asks = book([], []), dict[int, int](), dict[int, int]()
    for message in range(11, 111):
        levels: list[list[list[str]]] = [[], []]
        for side, texts in zip((bids, asks), levels, strict=True):
            for _ in range(draw.choice([0, 1, 3, 40])):
                ticks, lots = draw.randint(1, 200), draw.choice([0, 0, draw.randint(1, 10**6)])
                texts.append([f"{ticks / 10:.1f}", f"{Decimal(lots) / 1000}"])
                side[ticks] = lots
        assert one.apply(message - 1, message, *levels) is Applied.APPLIED
        kept = [[(t, q) for t, q in sorted(side.items()) if q] for side in (bids, asks)]
        found = [list(zip(*side, strict=True)) for side in state(one)]
        assert found == [kept[0][::-1], kept[1]]


def test_an_update_that_overlaps_what_is_known_is_applied() -> None:
    one = book()
    assert one.apply(7, 12, [["100.5", "9"]], []) is Applied.APPLIED
    assert (one.update_id, one.best_bid) == (12, Level(1005, 9000, 100.5, 9.0))


@pytest.mark.parametrize(("after", "final"), [(9, 10), (3, 5)])
def test_an_update_that_is_known_changes_nothing(after: int, final: int) -> None:
    one = book()
    assert one.apply(after, final, [["100.5", "9"]], []) is Applied.STALE
    assert (one.update_id, one.needs_resync, state(one)) == (10, False, state(book()))


def test_after_a_gap_the_book_stands_still_until_a_snapshot() -> None:
    one = book()
    assert one.apply(11, 12, [["100.5", "9"]], []) is Applied.GAP
    assert one.needs_resync
    # also the missing one, late, is no cure: what came between is gone
    assert one.apply(10, 11, [["100.5", "9"]], []) is Applied.GAP
    assert (one.update_id, state(one)) == (10, state(book()))
    one.snapshot(20, BIDS[:1], ASKS[:1])
    assert one.apply(20, 21, [], [["100.6", "0"]]) is Applied.APPLIED
    assert (one.needs_resync, one.best_ask, len(one)) == (False, None, 1)


def test_without_a_snapshot_nothing_is_applied() -> None:
    one = OrderBook(price_decimals=1, quantity_decimals=3)
    assert one.needs_resync
    assert one.apply(0, 1, BIDS, ASKS) is Applied.GAP
    assert (len(one), one.best_bid, one.best_ask) == (0, None, None)


@pytest.mark.parametrize(
    ("levels", "error", "words"),
    [
        ("100.5", TypeError, "asks must be a list of .price, quantity., not str"),
        ({"100.5": "1"}, TypeError, "asks must be a list"),
        (None, TypeError, "asks must be a list"),
        ([["100.7", "1"], ["100.5"]], ValueError, r"asks\[1\] must be .price, quantity., not \['100.5'\]"),
        ([["100.7", "1", "2"]], ValueError, r"asks\[0\] must be"),
        ([["100.7", "1"], "15"], ValueError, r"asks\[1\] must be"),
        ([[100.5, "1"]], TypeError, r"asks\[0\]: the price must be text, not float"),
        ([["100.5", None]], TypeError, r"asks\[0\]: the quantity must be text, not NoneType"),
        ([["100.55", "1"]], ValueError, r"asks\[0\]: the price '100.55' has more than 1 decimals"),
        ([["100.5", "1.0001"]], ValueError, "the quantity '1.0001' has more than 3 decimals"),
        *(
            ([[text, "1"]], ValueError, "the price .* is not a decimal number of 0 or more")
            for text in (
                "",
                ".",
                ".5",
                "5.",
                "-1",
                "+1",
                "1e3",
                " 1",
                "1 ",
                "1,0",
                "1.0.0",
                "nan",
                "²",
                "1\0",
            )
        ),
        ([["0.0", "1"]], ValueError, r"asks\[0\]: the price must be above 0, not '0.0'"),
        ([["9" * 19, "1"]], ValueError, "the price '9+' is too large for 1 decimals"),
        ([["922337203685477580", "1"]], ValueError, "too large"),
        ([["1", "1" + "0" * 400]], ValueError, "too large"),
        ([["1", "\ud800"]], ValueError, "surrogates"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_rubbish_is_refused_by_name_and_changes_nothing(
    levels: Any, error: type[Exception], words: str, whole: bool
) -> None:
    one = book()
    give = partial(one.snapshot, 11) if whole else partial(one.apply, 10, 11)
    with pytest.raises(error, match=words):
        give([["100.1", "7"]], levels)
    assert (one.update_id, one.needs_resync, state(one)) == (10, False, state(book()))
    assert one.apply(11, 12, [], []) is Applied.GAP


def test_ids_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="after must be below final, not 11 and 11"):
        book().apply(11, 11, [], [])


def test_text_is_read_exactly() -> None:
    one = OrderBook(price_decimals=8, quantity_decimals=0)
    one.snapshot(1, [["0.00001234", "123456789012.00000000"]], [["61837.63000000", "0007"]])
    assert one.best_bid == Level(1234, 123456789012, 1.234e-05, 123456789012.0)
    assert one.best_ask == Level(6183763000000, 7, 61837.63, 7.0)
    one.snapshot(2, [["92233720368.54775799", "1"]], [])
    assert one.bids(1).ticks.tolist() == [2**63 - 9]


def test_the_decimals_must_fit() -> None:
    with pytest.raises(ValueError, match="quantity_decimals must be 0 to 18, not 19"):
        OrderBook(price_decimals=1, quantity_decimals=19)


def test_measures_are_their_formulas() -> None:
    one = book()
    assert one.mid == pytest.approx(100.55, rel=1e-15)
    assert one.microprice == pytest.approx((100.5 * 3 + 100.6 * 2) / 5, rel=1e-15)
    assert one.imbalance() == pytest.approx((2 - 3) / 5)
    assert one.imbalance(2) == pytest.approx((3 - 7) / 10)
    assert one.imbalance(99) == pytest.approx((8 - 7) / 15)
    crossed = book([["100.6", "1"]], [["100.6", "1"]])
    assert (one.crossed, crossed.crossed) == (False, True)


def test_an_empty_side_has_no_measures() -> None:
    one = book([], ASKS)
    assert all(math.isnan(value) for value in (one.mid, one.microprice))
    assert (one.imbalance(), one.best_bid, one.crossed) == (-1.0, None, False)
    assert math.isnan(book([], []).imbalance())


def test_depth_says_where_levels_may_be_unknown() -> None:
    one = book()
    assert [one.bids(n).complete for n in (2, 3, 4)] == [True, True, False]
    # below the snapshot's worst bid only what changes is told
    one.apply(10, 11, [["90", "1"], ["100.4", "0"]], [])
    assert [one.bids(n).complete for n in (2, 3)] == [True, False]
    assert one.bids(3).price.tolist() == [100.5, 100.2, 90.0]
    # the venue said that there was no bid at all: then all are known
    assert book([], ASKS).bids(5).complete


@pytest.mark.parametrize("measure", [OrderBook.bids, OrderBook.asks, OrderBook.imbalance])
def test_no_levels_are_no_question(measure: Any) -> None:
    with pytest.raises(ValueError, match="levels must be at least 1, not 0"):
        measure(book(), 0)


def test_arrays_are_the_callers_own() -> None:
    one = book()
    seen = one.bids(3)
    seen.lots[:] = 0
    one.apply(10, 11, [["100.5", "0"]], [])
    assert np.array_equal(seen.ticks, [1005, 1004, 1002])
    assert one.bids(1).lots.tolist() == [1000]
