"""A book joined from snapshot and updates: as recorded at every update, whatever gets lost on the way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from binance_venue import BinanceVenue, Minutes, Sent, minutes

from skewline.servers.marketdata.live.binance_payload import (
    BestPrices,
    DepthSnapshot,
    DepthUpdate,
    read_best,
    read_depth,
)
from skewline.servers.marketdata.live.book_sync import BookSync, Fineness, OutOfStep

BIDS, ASKS = [["100.50", "2.0"]], [["100.60", "3.0"]]


@pytest.fixture(scope="module", params=["spot", "usdm"])
def recorded(request: pytest.FixtureRequest, market_data: Path) -> Minutes:
    return minutes(market_data, request.param)


def update(after: int, final: int, bids: Any = (), asks: Any = ()) -> DepthUpdate:
    return DepthUpdate(1, after, final, list(bids), list(asks))


def snapshot(at: int, bids: Any = BIDS, asks: Any = ASKS) -> DepthSnapshot:
    return DepthSnapshot(at, bids, asks)


def begun(at: int = 10) -> BookSync:
    sync = BookSync()
    assert sync.snapshot(snapshot(at))
    return sync


def feed(sync: BookSync, sent: Sequence[Sent]) -> list[str]:
    """Reasons for which it was out of step."""
    reasons = []
    for each in sent:
        try:
            if each.kind == "depth":
                sync.update(read_depth(each.data))
            elif each.kind == "bookTicker":
                sync.best(read_best(each.data))
        except OutOfStep as out:
            reasons.append(out.reason)
    return reasons


def best(sync: BookSync) -> tuple[float, ...]:
    bid, ask = sync.book.best_bid, sync.book.best_ask
    assert bid is not None
    assert ask is not None
    return bid.price, bid.quantity, ask.price, ask.quantity


def test_it_is_as_recorded_at_every_update(recorded: Minutes) -> None:
    sync, checked = BookSync(), 0
    for index, each in enumerate(recorded.sent):
        assert feed(sync, [each]) == []
        if index == 200:
            first = recorded.snapshot
            assert sync.snapshot(snapshot(first["lastUpdateId"], first["bids"], first["asks"]))
        if each.kind == "depth" and sync.in_step:
            assert best(sync) == recorded.best_at(sync.book.update_id)
            checked += 1
    assert checked > 3000


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_lost_twice_or_out_of_order_is_noticed_and_mended(recorded: Minutes, seed: int) -> None:
    draw = random.Random(seed)
    venue, sync = BinanceVenue(recorded), BookSync()
    lost = checked = 0
    for _ in range(100):
        following = venue.following(draw.randint(1, 12))
        for each in following:
            venue.happen(each)
        match draw.choice(["drop", "double", "swap", "none"]):
            case "drop":
                gone = draw.choice([i for i, each in enumerate(following) if each.kind == "depth"])
                del following[gone]
            case "double":
                following.insert(draw.randrange(len(following)), draw.choice(following))
            case "swap":
                draw.shuffle(following)
        lost += len(feed(sync, following))
        if not sync.in_step:
            now = venue.snapshot(1000)
            assert sync.snapshot(snapshot(now["lastUpdateId"], now["bids"], now["asks"]))
        if sync.book.update_id == venue.update_id:
            assert best(sync) == recorded.best_at(venue.update_id)
            checked += 1
    assert lost > 10
    assert checked > 40


def test_updates_are_kept_for_a_snapshot_and_those_it_has_are_dropped() -> None:
    sync = BookSync()
    for after, final in ((7, 9), (9, 12), (12, 15)):
        assert not sync.update(update(after, final, [[f"100.{final}", "1.0"]]))
    assert sync.book.needs_resync
    assert sync.snapshot(snapshot(10))
    assert sync.in_step
    assert sync.book.update_id == 15
    assert sync.book.bids(9).price.tolist() == [100.5, 100.15, 100.12]


def test_a_snapshot_older_than_the_first_update_is_of_no_use() -> None:
    sync = BookSync()
    sync.update(update(20, 25))
    assert not sync.snapshot(snapshot(19))
    assert sync.snapshot(snapshot(20))


def test_a_gap_needs_a_snapshot_that_is_not_older_than_what_followed_it() -> None:
    sync = begun()
    with pytest.raises(OutOfStep, match=r"SEQUENCE: the book stands at 10, and the next .* behind 12"):
        sync.update(update(12, 14))
    assert not sync.in_step
    assert not sync.update(update(14, 16))
    assert not sync.snapshot(snapshot(11))
    assert sync.snapshot(snapshot(13))
    assert sync.book.update_id == 16


def test_a_gap_among_the_updates_kept_is_found_by_the_snapshot() -> None:
    sync = BookSync()
    sync.update(update(9, 11))
    sync.update(update(15, 17))
    with pytest.raises(OutOfStep, match="SEQUENCE"):
        sync.snapshot(snapshot(10))
    assert not sync.snapshot(snapshot(14))
    assert sync.snapshot(snapshot(16))


def test_a_crossed_book_is_no_book() -> None:
    sync = begun()
    with pytest.raises(OutOfStep, match="CROSSED: at update 11"):
        sync.update(update(10, 11, [["100.60", "1.0"]]))
    assert not sync.in_step
    assert sync.snapshot(snapshot(11))


def test_a_book_that_is_not_the_venues_is_no_book() -> None:
    sync = begun()
    sync.best(BestPrices(10, (100.5, 2.0), (100.6, 3.0)))
    sync.best(BestPrices(11, (100.5, 2.0), (100.6, 4.0)))
    with pytest.raises(OutOfStep, match=r"MISMATCH: at update 11 the best ask is 3 .* says 4"):
        sync.update(update(10, 11))
    assert sync.snapshot(snapshot(12))
    with pytest.raises(OutOfStep, match=r"MISMATCH: at update 12 the best bid is 2 at 100\.5"):
        sync.best(BestPrices(12, (100.4, 2.0), (100.6, 3.0)))
    assert not sync.in_step


@pytest.mark.parametrize(
    "levels", [[["100.1"]], ["100.1"], [[100.1, "1"]], [["x", "1"]], [["-1", "1"]], [None], [["1e3", "1"]]]
)
def test_levels_that_cannot_be_read_need_a_snapshot(levels: Any) -> None:
    sync = begun()
    with pytest.raises(OutOfStep, match="UNREADABLE: update 11 cannot be read: bids"):
        sync.update(update(10, 11, levels))
    with pytest.raises(OutOfStep, match="UNREADABLE: the snapshot"):
        sync.snapshot(snapshot(11, bids=levels))
    assert not sync.in_step
    assert sync.snapshot(snapshot(11))


def test_a_finer_price_begins_the_book_anew_and_fits_from_then_on() -> None:
    sync = begun()
    finer = update(10, 11, [["100.505", "1.0"]])
    with pytest.raises(OutOfStep, match=r"UNREADABLE: .*100\.505"):
        sync.update(finer)
    assert sync.snapshot(snapshot(10))
    assert sync.book.update_id == 11
    assert sync.book.bids(1).price.tolist() == [100.505]


def test_decimals_are_those_written_unless_the_numbers_are_too_large() -> None:
    fine = Fineness()
    fine.learn([["61837.63000000", "1"]], 0)
    assert fine.decimals == 8
    rubbish: Any = [["123456789012.50000000", "1"], ["rubbish"], 7]
    fine.learn(rubbish, 0)
    assert fine.decimals == 4
    sync = BookSync()
    assert sync.snapshot(snapshot(1, [["0.00001234", "123456789012345.00000000"]], []))
    assert sync.book.bids(1).quantity.tolist() == [123456789012345.0]
