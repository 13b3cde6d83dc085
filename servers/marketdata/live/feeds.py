"""The service's live feeds: started once by request_id or by the settings, and taken up after a restart."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from skewline.servers.marketdata.intake import SERVICE
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.health import STOPPED, Health
from skewline.servers.marketdata.live.source import LiveSource, SourceFault
from skewline.servers.marketdata.live.supervision import (
    Deliver,
    DeliverBook,
    DeliverTrades,
    RecordBars,
    Supervised,
)
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.errors import AlreadyExists, NotFound, Refused
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.settings.marketdata import MarketDataSettings, feed_fault
from skewline.servers.runtime.validation import Validation
from skewline.storage.marketdata import feeds
from skewline.storage.marketdata.feeds import FeedRow
from skewline.v1 import feed_pb2
from skewline.v1 import market_data_service_pb2 as pb

_log = logging.getLogger(__name__)

FEED_SUBJECTS: Final = "market.feed.>"
_LONGEST: Final = 128


class Open(Protocol):
    """Makes the source of a feed."""

    def __call__(self, feed: str) -> LiveSource:
        """That of "venue:SYMBOL", a name in which `feed_fault` finds nothing wrong."""


@dataclass(frozen=True, slots=True)
class Running:
    """A feed and the task that streams it."""

    supervised: Supervised
    task: asyncio.Task[None]


class Feeds:
    """Starts, stops, lists and takes up feeds.

    `replay_running` gives the id of a replay that runs, or "": a feed does not run beside one, because both
    would feed the same pipeline, whose time is that of the data. `starting` is held while one is started.
    """

    def __init__(
        self,
        *,
        processor: Processor,
        settings: MarketDataSettings,
        open_source: Open,
        deliver: Deliver,
        record_bars: RecordBars,
        deliver_book: DeliverBook,
        deliver_trades: DeliverTrades,
        replay_running: Callable[[], str],
        starting: asyncio.Lock,
        clock: Clock,
        random: Random,
    ) -> None:
        self._processor = processor
        self._settings = settings
        self._open = open_source
        self._deliver = deliver
        self._record_bars = record_bars
        self._deliver_book = deliver_book
        self._deliver_trades = deliver_trades
        self._replay_running = replay_running
        self._starting = starting
        self._clock = clock
        self._random = random
        self._running: dict[str, Running] = {}

    @property
    def running(self) -> tuple[str, ...]:
        """Names of those that run."""
        return tuple(self._running)

    async def start(self) -> None:
        """Begin what the settings ask for, and what was started and not stopped."""
        for feed in self._settings.feeds:
            self._run(feed, from_settings=True)
        for row in await self._processor.read(feeds.started):
            if row.feed in self._running:
                continue
            if feed_fault(row.feed):
                _log.warning("feed %s does not go on: this version does not know its venue", row.feed)
            elif other := self._feeding(self._open(row.feed).underlying):
                _log.warning("feed %s does not go on: the settings have %s bring that", row.feed, other)
            else:
                self._run(row.feed, from_settings=False)

    async def stop(self) -> None:
        """Let go of those that run; they go on at the next start."""
        await end(*(each.task for each in self._running.values()))

    async def begin(self, request: pb.StartFeedRequest) -> feed_pb2.Feed:
        """Start a feed, or find the one that this request started before.

        Raises InvalidArgument, AlreadyExists for a request_id of another feed, Refused while a replay runs,
        or another feed of the underlying.
        """
        _validate(request)
        async with self._starting:
            identity = request.request_id
            earlier = await self._processor.read(lambda connection: feeds.feed(connection, identity))
            if earlier is not None:
                if earlier.feed != request.feed:
                    raise AlreadyExists("feed with request_id", identity)
                if earlier.stopped or earlier.feed in self._running:
                    return self._state(earlier.feed)
            self._refuse_beside(request.feed)
            # One that was entered and does not run: whoever asked went away in between, and asks again.
            if earlier is None:
                row = FeedRow(identity, request.feed, self._clock.time_ns(), stopped=False)
                await self._processor.write(lambda connection: feeds.add(connection, row))
            return self._run(request.feed, from_settings=False).supervised.health.now()

    async def end(self, feed: str) -> feed_pb2.Feed:
        """Stop a feed, and tell its subscribers. Raises NotFound if it does not run."""
        async with self._starting:
            running = self._running.get(feed)
            if running is None:
                raise NotFound("running feed", feed)
            await end(running.task)
            health = running.supervised.health
            now_ns = self._clock.time_ns()
            health.stopped(now_ns)
            notice = _outgoing(feed_pb2.FeedNotice(feed=health.now()), now_ns)
            await self._processor.write(lambda connection: feeds.mark_stopped(connection, feed), notice)
            # Not before: what the tables do not know goes on after a restart, and can be stopped again.
            del self._running[feed]
            return health.now()

    def now(self, feed: str) -> feed_pb2.Feed | None:
        """How one does, None if it does not run."""
        running = self._running.get(feed)
        return None if running is None else running.supervised.health.now()

    def listed(self) -> Sequence[feed_pb2.Feed]:
        """How those that run do, by name."""
        return [self._running[feed].supervised.health.now() for feed in sorted(self._running)]

    def _run(self, feed: str, *, from_settings: bool) -> Running:
        source = self._open(feed)
        supervised = Supervised(
            source,
            Health(feed, source, self._clock.time_ns(), from_settings=from_settings),
            deliver=self._deliver,
            record_bars=self._record_bars,
            deliver_book=self._deliver_book,
            deliver_trades=self._deliver_trades,
            notify=self._notify,
            settings=self._settings.live,
            clock=self._clock,
            random=self._random,
            blocked=self._blocked,
        )
        # In a context of its own: what it brings is no part of the trace of who started it.
        context = contextvars.Context()
        task = asyncio.create_task(supervised.run(), name=f"feed {feed}", context=context)
        running = Running(supervised, task)
        self._running[feed] = running
        return running

    def _blocked(self) -> SourceFault | None:
        replay_id = self._replay_running()
        if not replay_id:
            return None
        return SourceFault("REPLAY_RUNNING", f"replay {replay_id} is running: the feed begins when it ended")

    def _refuse_beside(self, feed: str) -> None:
        if replay_id := self._replay_running():
            raise Refused(
                "REPLAY_RUNNING",
                f"replay {replay_id} is running, and no feed runs beside it: stop it, or wait until it ends",
                {"replay_id": replay_id},
            )
        if feed in self._running:
            raise Refused("FEED_RUNNING", f"{feed} is running already; stop it first", {"feed": feed})
        underlying = self._open(feed).underlying
        if other := self._feeding(underlying):
            raise Refused(
                "UNDERLYING_FED",
                f"{underlying} is brought by {other}, and by one feed at most: stop that one first",
                {"feed": other},
            )

    def _feeding(self, underlying: str) -> str:
        """The feed that brings `underlying`; empty if none does."""
        running = self._running.items()
        return next((feed for feed, each in running if each.supervised.underlying == underlying), "")

    def _state(self, feed: str) -> feed_pb2.Feed:
        if (now := self.now(feed)) is not None:
            return now
        return feed_pb2.Feed(feed=feed, underlying=self._open(feed).underlying, state=STOPPED)

    async def _notify(self, notice: feed_pb2.FeedNotice, now_ns: int) -> None:
        outgoing = _outgoing(notice, now_ns)
        await self._processor.outlast(lambda: self._processor.write(lambda _: None, outgoing))


def _outgoing(notice: feed_pb2.FeedNotice, now_ns: int) -> Outgoing:
    feed = notice.feed
    event = envelope(
        service=SERVICE,
        payload=notice,
        key=(feed.feed, now_ns, feed.state, feed.connections, feed.gaps, notice.gap.reason),
        time_ns=now_ns,
        underlying=feed.underlying,
        received_ns=now_ns,
        published_ns=now_ns,
    )
    return Outgoing(f"market.feed.{feed.underlying}", event)


def _validate(request: pb.StartFeedRequest) -> None:
    validation = Validation()
    if validation.required("request_id", request.request_id):
        validation.max_length("request_id", request.request_id, _LONGEST)
    if validation.required("feed", request.feed):
        fault = feed_fault(request.feed)
        validation.check(not fault, "feed", f"{fault}, not {request.feed[:_LONGEST]!r}")
    validation.raise_if_any()
