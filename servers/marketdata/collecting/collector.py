"""Live feeds under the same supervision as in the service, what they bring judged alike and kept in files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skewline.servers.marketdata.bars.recording import Recorded
from skewline.servers.marketdata.collecting.archive import ChainArchive, write_whole
from skewline.servers.marketdata.collecting.quarantine import quarantine
from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.health import Health
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.marketdata.live.supervision import Supervised
from skewline.servers.marketdata.validation.bar_schema import check_bar
from skewline.servers.marketdata.validation.freshness import freshness_of
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.errors import FieldViolation
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, feed_pb2

T = TypeVar("T")

_PRICES: Final = ("start_ns", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a chain, and the file that has it or will have it."""

    summary: chain_pb2.ChainSummary
    file: Path


Say = Callable[[Kept | feed_pb2.FeedNotice | OSError], None]
"""Hears of each chain, each notice of a feed, and each failure to write, after which it is tried again."""


class Collector:
    """Collects `sources` by feed name into `folder`, going on after the newest chains there."""

    def __init__(
        self,
        sources: dict[str, LiveSource],
        folder: Path,
        *,
        settings: MarketDataSettings,
        clock: Clock,
        random: Random,
        say: Say,
    ) -> None:
        self._sources = sources
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._random = random
        self._say = say
        self._engine = MarketDataEngine(freshness_of(settings))
        self._writing = asyncio.Lock()
        self._waiting_for = set(sources)
        self.all_brought = asyncio.Event()
        """Set when each feed has brought a chain."""

    @property
    def waiting_for(self) -> Sequence[str]:
        """Feeds that have brought no chain yet."""
        return sorted(self._waiting_for)

    async def run(self) -> None:
        """Collect until it is cancelled, then put the parts together. Raises OSError, SourceError."""
        archive = await asyncio.to_thread(ChainArchive, self._folder)
        self._engine.restore(await asyncio.to_thread(archive.newest))
        tasks = [
            asyncio.create_task(self._supervised(feed, source, archive).run(), name=f"feed {feed}")
            for feed, source in self._sources.items()
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await end(*tasks)
            # Whatever was under way to the disk is there first.
            async with self._writing:
                await asyncio.shield(asyncio.to_thread(archive.join))

    def _supervised(self, feed: str, source: LiveSource, archive: ChainArchive) -> Supervised:
        async def deliver(chain: chain_pb2.OptionChain, received_ns: int) -> chain_pb2.ChainSummary:
            outcome = self._engine.on_chain(chain, received_ns=received_ns)
            summary = outcome.summary
            if outcome.chain is not None:
                # As it came, so that a replay judges it again.
                file = await self._written(lambda: archive.add(chain))
            else:
                file = await self._written(lambda: quarantine(self._folder, chain, summary))
            self._say(Kept(summary, file))
            self._waiting_for.discard(feed)
            if not self._waiting_for:
                self.all_brought.set()
            return summary

        async def record_bars(series: chain_pb2.BarSeries) -> Recorded:
            faults: list[FieldViolation] = []
            sound = []
            for place, bar in enumerate(series.bars):
                validation = Validation(f"bars[{place}].")
                check_bar(bar, validation)
                faults += validation.violations
                if not validation.violations:
                    sound.append(bar)
            if sound:
                await self._written(lambda: add_bars(self._folder, series, sound))
            return Recorded(len(sound), tuple(faults))

        async def notify(notice: feed_pb2.FeedNotice, _now_ns: int) -> None:
            self._say(notice)

        return Supervised(
            source,
            Health(feed, source, self._clock.time_ns(), from_settings=False),
            deliver=deliver,
            record_bars=record_bars,
            notify=notify,
            settings=self._settings.live,
            clock=self._clock,
            random=self._random,
        )

    async def _written(self, write: Callable[[], T]) -> T:
        """What `write` returns, tried again for as long as the disk refuses; no cancellation cuts it off."""
        backoff = Backoff(first=1.0, most=60.0, random=self._random)
        while True:
            try:
                return await asyncio.shield(asyncio.ensure_future(self._one_write(write)))
            except OSError as error:
                self._say(error)
                await self._clock.sleep(backoff.next())

    async def _one_write(self, write: Callable[[], T]) -> T:
        async with self._writing:
            return await asyncio.to_thread(write)


def add_bars(folder: Path, series: chain_pb2.BarSeries, bars: Sequence[chain_pb2.Bar]) -> Path:
    """Put bars into the file of their underlying and length, in place of those of the same start.

    Raises OSError.
    """
    file = folder / f"bars-{series.underlying}-{series.interval_ns // 1_000_000_000}s.parquet"
    columns = {name: [getattr(bar, name) for bar in bars] for name in _PRICES}
    count = len(bars)
    told = pa.table(
        {
            "underlying": [series.underlying] * count,
            **columns,
            "source": [series.source] * count,
        }
    )
    if file.is_file():
        before = pq.read_table(file)
        kept = before.filter(pc.invert(pc.is_in(before["start_ns"], told["start_ns"].combine_chunks())))
        told = pa.concat_tables([kept, told])
    write_whole(file, told.sort_by("start_ns"))
    return file
