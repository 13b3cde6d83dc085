"""One event, one transaction: the handler that makes a service lose nothing and do nothing twice.

For each event a service handles: its id goes into the inbox, the engine's results into the tables and the
outgoing events into the event log, all in one transaction; then the outgoing events are published, and the
event is acknowledged. Killed before the commit, the event comes again and finds nothing of the first try;
killed after it, the event comes again and is known, and what the log holds unpublished is published at the
next start.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.bus import Bus, Delivery, PublishFailed
from skewline.servers.runtime.consuming import Consumer
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.event_rules import event_of
from skewline.servers.runtime.settings.bus import BusSettings
from skewline.servers.runtime.telemetry import context_from, traceparent
from skewline.storage import event_log, inbox
from skewline.storage.database import Database
from skewline.storage.errors import DatabaseUnreachableError
from skewline.storage.event_log import LoggedEvent
from skewline.v1 import event_pb2

_log = logging.getLogger(__name__)

T = TypeVar("T")

_READERS: Final = 2
_RELAY_EVERY_S: Final = 0.5
_RELAY_BATCH: Final = 100
_PRUNE_EVERY: Final = 64


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish."""

    subject: str
    event: event_pb2.Event


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as a service's handler gets it."""

    event: event_pb2.Event
    received_ns: int
    """Wall clock, ns since the epoch."""
    trace_id: str
    """Trace of the quote that caused it, 32 hex digits."""


class Processor:
    """Runs a service's state changes one at a time, each in a transaction with its inbox and outbox.

    `restore` throws the service's engine away and rebuilds it from the tables; it is called at the start and
    after any failure, so that memory never holds what the database does not. `keep_events` of the event log
    are kept for clients that resume, `keep_handled` ids in the inbox: many times what can be delivered again.
    """

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        bus: Bus,
        bus_settings: BusSettings,
        tracer: trace.Tracer,
        keep_events: int = 512,
        keep_handled: int = 65_536,
    ) -> None:
        self.service = service
        self.turn = asyncio.Lock()
        self._database = database
        self._bus = bus
        self._bus_settings = bus_settings
        self._tracer = tracer
        self._keep_events = keep_events
        self._keep_handled = keep_handled
        self._restore: Callable[[Connection], None] = _nothing_to_restore
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{service}-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"{service}-reader")
        self._listeners: list[Callable[[Sequence[LoggedEvent]], None]] = []
        self._handled: list[Callable[[str, float], None]] = []
        self._consumers: list[Consumer] = []
        self._publishing = asyncio.Lock()
        self._published: list[int] = []
        self._backlog = asyncio.Event()
        self._relay: asyncio.Task[None] | None = None
        self._commits = 0
        self._stale = True
        self._offered = 0

    async def start(self, restore: Callable[[Connection], None]) -> None:
        """Rebuild the engine from the tables, then publish what an earlier run left unpublished."""
        self._restore = restore
        self._offered = await self.read(event_log.latest_sequence)
        await self._rebuild()
        await self._publish_backlog()
        self._relay = asyncio.create_task(self._relay_backlog(), name=f"{self.service} outbox relay")

    async def stop(self) -> None:
        """Let the event in hand finish, stop consuming, publish and mark what is left."""
        for consumer in reversed(self._consumers):
            await consumer.stop()
        if self._relay is not None:
            await end(self._relay)
        try:
            await self._mark_published()
        except DatabaseUnreachableError as error:
            _log.warning(
                "%s: what is published is published again at the next start: %s", self.service, error
            )
        self._writer.shutdown()
        self._readers.shutdown()

    def on_committed(self, listener: Callable[[Sequence[LoggedEvent]], None]) -> None:
        """Call `listener`, on the event loop, with the events of each transaction after its commit."""
        self._listeners.append(listener)

    def on_handled(self, listener: Callable[[str, float], None]) -> None:
        """Call `listener(kind, seconds)` after each event handled: the feed of the hop's metrics."""
        self._handled.append(listener)

    async def transact(
        self,
        work: Callable[[Connection], tuple[T, Sequence[Outgoing]]],
        *,
        cause: event_pb2.Event | None = None,
    ) -> T:
        """Run `work` in the writer thread, in one write transaction, and publish the events it returns.

        `cause` is the event that it answers: its id goes into the inbox, in the same transaction. Whatever is
        raised, everything is rolled back and the engine rebuilt from the tables before it is raised here.
        """
        # A caller that goes away (a cancelled rpc) must not part a commit from the publishing of its events.
        settled: T = await asyncio.shield(asyncio.ensure_future(self._transact(work, cause)))
        return settled

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a reader thread, in one read-only transaction."""
        return await self._in(self._readers, self._query, query)

    async def outlast(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What `attempt` returns, made again for as long as the database is away."""
        backoff = Backoff(first=0.1, most=5.0)
        while True:
            try:
                return await attempt()
            except DatabaseUnreachableError as error:
                pause = backoff.next()
                _log.warning("%s: %s; again in %.2f s", self.service, error, pause)
                await asyncio.sleep(pause)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold the turn to change the engine; if the block fails, the engine is rebuilt from the tables."""
        async with self.turn:
            if self._stale:
                await self._rebuild()
            try:
                yield
            except BaseException:
                await self._rebuild()
                raise

    async def consume(
        self,
        stream: str,
        durable: str,
        subjects: Sequence[str],
        handle: Callable[[Delivered], Awaitable[None]],
        *,
        ready: Callable[[event_pb2.Event], Awaitable[None]] | None = None,
    ) -> None:
        """Feed each event of `subjects` to `handle`, in order, once.

        `handle` runs while it holds the turn, inside the span `<service>.<payload>`, a child of the event's
        trace, and calls `transact(..., cause=delivered.event)` exactly once. `ready` is awaited first,
        without the turn: the place to wait for what another consumer of this service must bring. An event
        already handled is skipped. While the database is away the event waits: it is no fault of the event's.
        """

        async def on_delivery(delivery: Delivery) -> None:
            await self.outlast(lambda: self._handle(delivery, handle, ready))

        settings = self._bus_settings
        self._consumers.append(
            await self._bus.consume(
                stream,
                durable,
                tuple(subjects),
                on_delivery,
                ack_wait=settings.ack_wait_s,
                max_deliver=settings.max_deliver,
                batch=settings.fetch_batch,
                backoff_s=settings.backoff_s,
            )
        )

    async def caught_up(self, durable: str) -> bool:
        """Whether everything published so far for this consumer is done with."""
        consumers = [consumer for consumer in self._consumers if consumer.plan.durable == durable]
        return bool(consumers) and all([await consumer.caught_up() for consumer in consumers])

    async def _transact(
        self, work: Callable[[Connection], tuple[T, Sequence[Outgoing]]], cause: event_pb2.Event | None
    ) -> T:
        published, self._published = self._published, []
        try:
            commit = functools.partial(self._commit, work, cause, traceparent(), published)
            result, logged = await self._in(self._writer, commit)
        except BaseException:
            self._published.extend(published)
            await self._rebuild()
            raise
        self._offer(logged)
        await self._publish(logged)
        return result

    def _offer(self, logged: Sequence[LoggedEvent]) -> None:
        if logged:
            self._offered = max(self._offered, logged[-1].sequence)
        for listener in self._listeners:
            listener(logged)

    async def _handle(
        self,
        delivery: Delivery,
        handle: Callable[[Delivered], Awaitable[None]],
        ready: Callable[[event_pb2.Event], Awaitable[None]] | None,
    ) -> None:
        received_ns = time.time_ns()
        event = event_of(delivery)
        if await self.read(lambda connection: inbox.seen(connection, event.event_id)):
            return
        kind = event.WhichOneof("payload") or ""
        with self._tracer.start_as_current_span(
            f"{self.service}.{kind}",
            context=context_from(delivery.traceparent),
            kind=trace.SpanKind.CONSUMER,
            attributes={
                "skewline.event_id": event.event_id,
                "skewline.snapshot_id": event.snapshot_id,
                "skewline.underlying": event.underlying,
                "messaging.system": "nats",
                "messaging.destination.name": delivery.subject,
                "messaging.message.delivery_attempt": delivery.attempt,
            },
        ) as span:
            trace_id = trace.format_trace_id(span.get_span_context().trace_id)
            if ready is not None:
                await ready(event)
            async with self.exclusive():
                await handle(Delivered(event, received_ns, trace_id))
        for listener in self._handled:
            listener(kind, (time.time_ns() - received_ns) / 1e9)

    def _commit(
        self,
        work: Callable[[Connection], tuple[T, Sequence[Outgoing]]],
        cause: event_pb2.Event | None,
        parent: str,
        published: list[int],
    ) -> tuple[T, list[LoggedEvent]]:
        with self._database.begin() as connection:
            if cause is not None:
                inbox.record(connection, cause.event_id, cause.time_ns)
            event_log.mark_published(connection, published)
            result, outgoing = work(connection)
            logged = [_append(connection, item, parent) for item in outgoing]
            self._commits += 1
            if self._commits % _PRUNE_EVERY == 0:
                event_log.prune(connection, self._keep_events)
                inbox.prune(connection, self._keep_handled)
        return result, logged

    async def _mark_published(self) -> None:
        published, self._published = self._published, []
        try:
            if published:
                await self._in(self._writer, self._mark, published)
        except BaseException:
            self._published.extend(published)
            raise

    def _mark(self, published: list[int]) -> None:
        with self._database.begin() as connection:
            event_log.mark_published(connection, published)

    def _query(self, query: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return query(connection)

    async def _rebuild(self) -> None:
        self._stale = True
        missed = await asyncio.shield(self._in(self._writer, self._query, self._restored))
        self._stale = False
        if missed:
            # The commit was done, and its confirmation lost with the database's connection.
            self._offer(missed)
            self._backlog.set()

    def _restored(self, connection: Connection) -> list[LoggedEvent]:
        self._restore(connection)
        return event_log.since(connection, self._offered, limit=_RELAY_BATCH)

    async def _publish(self, logged: Sequence[LoggedEvent]) -> None:
        if not logged:
            return
        async with self._publishing:
            # What waits in the log goes first: the relay keeps the order.
            if not self._backlog.is_set():
                await self._send(logged)

    async def _send(self, logged: Sequence[LoggedEvent]) -> None:
        try:
            for item in logged:
                await self._bus.publish(
                    item.subject,
                    item.payload,
                    message_id=item.event_id,
                    traceparent=item.traceparent or None,
                )
            await self._bus.flush()
        except PublishFailed as failure:
            # They are in the log: the relay publishes them as soon as the bus takes them.
            _log.warning("%s: %s; they are published again from the event log", self.service, failure)
            self._backlog.set()
            return
        self._published.extend(item.sequence for item in logged)

    async def _publish_backlog(self) -> None:
        async with self._publishing:
            self._backlog.clear()
            await self._mark_published()
            while batch := await self.read(_unpublished):
                await self._send(batch)
                if self._backlog.is_set():
                    return
                await self._mark_published()

    async def _relay_backlog(self) -> None:
        while True:
            await self._backlog.wait()
            await asyncio.sleep(_RELAY_EVERY_S)
            await self.outlast(self._publish_backlog)

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[..., T], *arguments: object) -> T:
        # A pool's threads have no context of their own: without this, spans opened there would lack a parent.
        call_here = functools.partial(contextvars.copy_context().run, call, *arguments)
        return await asyncio.get_running_loop().run_in_executor(pool, call_here)


def _unpublished(connection: Connection) -> list[LoggedEvent]:
    return event_log.unpublished(connection, _RELAY_BATCH)


def _append(connection: Connection, item: Outgoing, parent: str) -> LoggedEvent:
    payload = item.event.SerializeToString(deterministic=True)
    sequence = event_log.append(
        connection,
        event_id=item.event.event_id,
        subject=item.subject,
        time_ns=item.event.time_ns,
        payload=payload,
        traceparent=parent,
    )
    return LoggedEvent(sequence, item.event.event_id, item.subject, item.event.time_ns, payload, parent)


def _nothing_to_restore(_connection: Connection) -> None:
    """Before `start` there is no engine."""
