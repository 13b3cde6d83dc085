"""Collecting from a real HTTP venue into files: judged, kept, gone on with, and stopped at any moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from bar_samples import bar, series
from cboe_files import delayed_file
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from http_venue import HttpVenue, http_venue
from live_feeds import ShiftedClock
from waiting import until

from skewline.servers.marketdata.collecting.archive import ChainArchive
from skewline.servers.marketdata.collecting.collector import Kept, add_bars
from skewline.servers.marketdata.collecting.opening import CollectFault, collector_of
from skewline.servers.marketdata.collecting.quarantine import quarantined
from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.v1 import chain_pb2, feed_pb2


@pytest.fixture
async def venue() -> AsyncIterator[HttpVenue]:
    async with http_venue() as venue:
        venue.files["XYZ.json"] = delayed_file(small_chain())
        yield venue


class Collected:
    """A collector at work, and what it said."""

    def __init__(self) -> None:
        self.said: list[Kept | feed_pb2.FeedNotice | OSError] = []
        self.task: asyncio.Task[None] | None = None

    @property
    def kept(self) -> list[chain_pb2.ChainSummary]:
        return [each.summary for each in self.said if isinstance(each, Kept)]


@asynccontextmanager
async def collecting(venue: HttpVenue, folder: Path, *feeds: str) -> AsyncIterator[Collected]:
    live = {"retry_first_s": 0.05, "cboe": {"url": venue.url, "requests_per_s": 100, "interval_s": 0.05}}
    collected = Collected()
    collector = collector_of(
        feeds or ["cboe:XYZ"],
        folder,
        settings=MarketDataSettings.model_validate({"live": live}),
        every_s=0.0,
        # As the market is when the first file is made.
        clock=ShiftedClock(FRIDAY_NS + 15 * MINUTE_NS),
        random=Random(7),
        say=collected.said.append,
    )
    collected.task = asyncio.create_task(collector.run())
    try:
        yield collected
    finally:
        await end(collected.task)


def replayed(folder: Path) -> list[chain_pb2.OptionChain]:
    source = open_source(f"parquet:{folder}", SourceOptions(sample_folder=folder))
    return [source.load(ref) for ref in source.plan()]


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def later(shift: float) -> chain_pb2.OptionChain:
    return small_chain(time_ns=FRIDAY_NS + MINUTE_NS, shift=shift)


async def test_what_a_venue_brings_is_in_files_that_can_be_replayed(venue: HttpVenue, tmp_path: Path) -> None:
    async with collecting(venue, tmp_path) as collected:
        await until(lambda: len(collected.kept) == 1)
        venue.files["XYZ.json"] = delayed_file(later(0.01))
        await until(lambda: len(collected.kept) == 2)
        # Also before it ends.
        assert len(replayed(tmp_path)) == 2
    assert files(tmp_path) == ["chains-XYZ-2019-05-24.parquet"]
    first, second = replayed(tmp_path)
    assert list(first.bid) == list(small_chain().bid)
    assert list(second.ask) == list(later(0.01).ask)
    assert first.source == "cboe:XYZ"
    states = [each.feed.state for each in collected.said if isinstance(each, feed_pb2.FeedNotice)]
    assert feed_pb2.FEED_STATE_LIVE in states


async def test_what_is_rejected_is_quarantined_with_its_reason(venue: HttpVenue, tmp_path: Path) -> None:
    empty = small_chain()
    empty.bid[:] = empty.ask[:] = [0.0] * 12
    venue.files["XYZ.json"] = delayed_file(empty)
    async with collecting(venue, tmp_path) as collected:
        await until(lambda: len(collected.kept) == 1)
    assert collected.kept[0].reason == "EMPTY"
    assert files(tmp_path) == ["quarantine-XYZ-2019-05-24.jsonl"]
    file = tmp_path / "quarantine-XYZ-2019-05-24.jsonl"
    [(reason, chain)] = quarantined(file)
    assert reason == "EMPTY"
    assert len(chain.strike) == 12
    assert json.loads(file.read_text())["detail"]


async def test_it_goes_on_after_what_it_collected_before(venue: HttpVenue, tmp_path: Path) -> None:
    async with collecting(venue, tmp_path) as collected:
        await until(lambda: len(collected.kept) == 1)
    async with collecting(venue, tmp_path) as collected:
        await until(lambda: len(collected.kept) == 1)
        assert collected.kept[0].status == chain_pb2.CHAIN_STATUS_REJECTED, "the same chain again"
    assert len(replayed(tmp_path)) == 1


async def test_a_disk_that_refuses_is_tried_again_and_nothing_is_lost(
    venue: HttpVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, failures = ChainArchive.add, [OSError(28, "No space left on device")]

    def full_once(self: ChainArchive, chain: chain_pb2.OptionChain) -> Path:
        if failures:
            raise failures.pop()
        return add(self, chain)

    monkeypatch.setattr(ChainArchive, "add", full_once)
    async with collecting(venue, tmp_path) as collected:
        await until(lambda: len(collected.kept) == 1)
    assert any(isinstance(each, OSError) for each in collected.said)
    assert len(replayed(tmp_path)) == 1


async def test_one_venue_that_is_away_does_not_hold_up_the_others(venue: HttpVenue, tmp_path: Path) -> None:
    async with collecting(venue, tmp_path, "cboe:XYZ", "cboe:NONE") as collected:
        await until(lambda: len(collected.kept) == 1)
        await until(
            lambda: any(
                isinstance(each, feed_pb2.FeedNotice) and each.feed.state == feed_pb2.FEED_STATE_DOWN
                for each in collected.said
            )
        )


def test_bars_that_come_along_are_kept_by_start(tmp_path: Path) -> None:
    told = series([])
    file = add_bars(tmp_path, told, [bar(FRIDAY_NS + MINUTE_NS, 5.0), bar(FRIDAY_NS, 4.0)])
    assert file == add_bars(tmp_path, told, [bar(FRIDAY_NS, 6.0)])
    assert file.name == "bars-XYZ-86400s.parquet"
    assert pq.read_table(file)["close"].to_pylist() == [6.0, 5.0]


@pytest.mark.parametrize(
    ("feeds", "says"),
    [
        (["cboe"], "'cboe' must be VENUE:SYMBOL"),
        (["nowhere:SPX"], "must be VENUE:SYMBOL"),
        ([""], "must be VENUE:SYMBOL"),
        (["cboe:spx"], "must have a symbol of capital letters"),
        (["cboe:SPX", "cboe:SPX"], "SPX would be brought twice"),
        (["binance:BTCUSDT"], "brings order books and trades, no chains"),
        (["cboe:AAPL", "yahoo:AAPL"], "AAPL would be brought twice"),
    ],
)
def test_feeds_that_are_none_are_refused(tmp_path: Path, feeds: list[str], says: str) -> None:
    with pytest.raises(CollectFault, match=says):
        collector_of(
            feeds,
            tmp_path,
            settings=MarketDataSettings(),
            every_s=60.0,
            clock=ShiftedClock(),
            random=Random(1),
            say=lambda _told: None,
        )
