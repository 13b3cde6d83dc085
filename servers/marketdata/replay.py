"""A replay: feeds one snapshot, waits until all its consequences are complete, feeds the next."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from bisect import insort
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from sqlalchemy import Connection

from skewline.servers.marketdata import replay_progress
from skewline.servers.marketdata.intake import Intake, Taken
from skewline.servers.marketdata.latency import hops, latencies
from skewline.servers.marketdata.sources.source import SnapshotRef, Source, SourceError
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.processor import Delivered, Outgoing, Processor
from skewline.storage.marketdata import replays
from skewline.storage.marketdata.replays import ReplayRow
from skewline.v1 import chain_pb2, event_pb2, market_data_service_pb2

_log = logging.getLogger(__name__)

_NANOS_A_SECOND: Final = 1e9
Stored = Callable[[Taken], Awaitable[None]]


class WatermarkMissing(Exception):
    """A snapshot's consequences did not become complete in time."""


class Replay:
    """One running replay; its row in the tables says how far it is, so that a killed process goes on there.

    The row is written in the transaction that stores the snapshot, and in the one that notes its watermark:
    a snapshot is never fed twice and never skipped.
    """

    def __init__(
        self,
        *,
        row: ReplayRow,
        source: Source,
        plan: list[SnapshotRef],
        samples: Mapping[str, list[int]],
        intake: Intake,
        processor: Processor,
        tracer: trace.Tracer,
        watermark_timeout_s: float,
        stored: Stored,
    ) -> None:
        self._row = row
        self._source = source
        self._plan = plan
        self._samples = {hop: list(taken) for hop, taken in samples.items()}
        self._intake = intake
        self._processor = processor
        self._tracer = tracer
        self._watermark_timeout_s = watermark_timeout_s
        self._stored = stored
        self._stopping = asyncio.Event()
        self._stepped = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def state(self) -> market_data_service_pb2.Replay:
        """Its state now."""
        return self._row.state

    def restore(self, row: ReplayRow, samples: Mapping[str, list[int]]) -> None:
        """Go back to where the tables say it is; in the writer thread."""
        self._row = row
        self._samples = {hop: list(taken) for hop, taken in samples.items()}
        asyncio.run_coroutine_threadsafe(self._tell(), self._loop)

    def start(self) -> None:
        """Begin, or go on."""
        self._task = asyncio.create_task(self._run(), name=f"replay {self._row.replay_id}")

    async def stop(self) -> None:
        """End it after the snapshot in hand."""
        self._stopping.set()
        await self.wait()

    async def wait(self) -> None:
        """Until it has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def suspend(self) -> None:
        """Let go without ending it: at the next start it goes on."""
        if self._task is not None:
            await end(self._task)

    async def states(self) -> AsyncIterator[market_data_service_pb2.Replay]:
        """Its state now, and at each step until it ends; a slow reader gets the newest only."""
        shown = self.state
        yield shown
        while shown.status == replay_progress.RUNNING:
            async with self._stepped:
                while self.state is shown:
                    await self._stepped.wait()
            shown = self.state
            yield shown

    def awaits(self, snapshot_id: str) -> bool:
        """Whether the snapshot's consequences are what it waits for."""
        return bool(snapshot_id) and self._row.in_flight == snapshot_id

    async def on_watermark(self, delivered: Delivered) -> None:
        """Note that the consequences of the snapshot in flight are complete."""
        event = delivered.event
        took = hops(event.stamps)
        for hop, nanoseconds in took.items():
            insort(self._samples.setdefault(hop, []), nanoseconds)
        row = replay_progress.after_watermark(
            self._row, event.underlying, event.time_ns, latencies(self._samples), time.time_ns()
        )

        def work(connection: Connection) -> tuple[None, tuple[Outgoing, ...]]:
            replays.add_samples(connection, row.replay_id, event.snapshot_id, took)
            replays.save(connection, row)
            return None, ()

        await self._processor.transact(work, cause=event)
        self._row = row
        await self._tell()

    async def _run(self) -> None:
        status, error = market_data_service_pb2.REPLAY_STATUS_COMPLETED, ""
        try:
            await self._feed_all()
            if self._row.next_index < len(self._plan):
                status = market_data_service_pb2.REPLAY_STATUS_STOPPED
        except (SourceError, WatermarkMissing) as fault:
            status, error = market_data_service_pb2.REPLAY_STATUS_FAILED, str(fault)
        except Exception as fault:  # noqa: BLE001 - whatever ends it is its error, for the client to read
            _log.exception("replay %s failed", self._row.replay_id)
            status, error = market_data_service_pb2.REPLAY_STATUS_FAILED, f"{type(fault).__name__}: {fault}"
        await self._processor.outlast(lambda: self._end(status, error))
        await self._tell()

    async def _end(self, status: market_data_service_pb2.ReplayStatus.ValueType, error: str) -> None:
        async with self._processor.turn:
            row = replay_progress.ended(self._row, status, error, time.time_ns())
            await self._save(row)
            self._row = row

    async def _feed_all(self) -> None:
        await self._watermark()
        loading = self._load(self._row.next_index)
        try:
            fed_at = time.monotonic()
            while self._row.next_index < len(self._plan) and not self._stopping.is_set():
                index = self._row.next_index
                await self._pace(index, fed_at)
                if self._stopping.is_set():
                    return
                chain = await loading
                loading = self._load(index + 1)
                fed_at = time.monotonic()
                await self._processor.outlast(functools.partial(self._feed, index, chain))
                await self._watermark()
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)

    def _load(self, index: int) -> asyncio.Task[chain_pb2.OptionChain]:
        # Ahead of time, in a thread: reading a snapshot need not wait for the watermark of the last.
        async def load() -> chain_pb2.OptionChain:
            if index >= len(self._plan):
                return chain_pb2.OptionChain()
            return await asyncio.to_thread(self._source.load, self._plan[index])

        return asyncio.create_task(load(), name=f"load snapshot {index}")

    async def _pace(self, index: int, fed_at: float) -> None:
        speed = self._row.request.speed
        if speed <= 0 or index == 0:
            return
        gap = (self._plan[index].time_ns - self._plan[index - 1].time_ns) / _NANOS_A_SECOND / speed
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, gap - (time.monotonic() - fed_at))):
                await self._stopping.wait()

    async def _feed(self, index: int, chain: chain_pb2.OptionChain) -> None:
        if self._row.next_index > index:
            # A second try, and the first was committed: only the word of it was lost.
            return
        received_ns = time.time_ns()
        # Each snapshot begins a trace of its own: everything that follows from it is a descendant.
        with self._tracer.start_as_current_span(
            "marketdata.snapshot", context=Context(), attributes=snapshot_attributes(chain)
        ) as span:
            quotes = len(chain.strike) + sum(unread.count for unread in chain.rejected)

            def work(connection: Connection) -> tuple[tuple[Taken, ReplayRow], tuple[Outgoing, ...]]:
                taken = self._intake.take(connection, chain, received_ns, replayed=True)
                row = replay_progress.after_feeding(self._row, quotes, taken, time.time_ns())
                replays.save(connection, row)
                return (taken, row), taken.outgoing

            async with self._processor.exclusive():
                taken, row = await self._processor.transact(work)
                self._row = row
            span.set_attribute("skewline.snapshot_id", taken.summary.snapshot_id)
            span.set_attribute("skewline.reason", taken.summary.reason)
        await self._stored(taken)
        await self._tell()

    async def _watermark(self) -> None:
        awaited = self._row.in_flight
        try:
            async with asyncio.timeout(self._watermark_timeout_s), self._stepped:
                await self._stepped.wait_for(lambda: not self._row.in_flight)
        except TimeoutError as error:
            underlying = self._plan[self._row.next_index - 1].underlying
            raise WatermarkMissing(
                f"the consequences of {underlying} snapshot {awaited} were not complete within"
                f" {self._watermark_timeout_s:g} s (marketdata.watermark_timeout_s): see that calibration,"
                " signal, order and risk run, then start a new replay"
            ) from error

    async def _save(self, row: ReplayRow) -> None:
        def work(connection: Connection) -> tuple[None, tuple[Outgoing, ...]]:
            replays.save(connection, row)
            return None, ()

        await self._processor.transact(work)

    async def _tell(self) -> None:
        async with self._stepped:
            self._stepped.notify_all()


def snapshot_attributes(chain: chain_pb2.OptionChain) -> dict[str, str | int]:
    """What a snapshot's root span says."""
    return {
        "skewline.underlying": chain.underlying,
        "skewline.source": chain.source,
        "skewline.quotes": len(chain.strike),
        "skewline.time_ns": chain.time_ns,
    }


def is_watermark(event: event_pb2.Event) -> bool:
    """Whether `event` says that a snapshot's consequences are complete."""
    return event.WhichOneof("payload") == "portfolio" and bool(event.snapshot_id)
