"""One event, one transaction: the handler that makes a service lose nothing and do nothing twice.

For each event a service handles: its id goes into the inbox, the engine's results into the tables and the
outgoing events into the event log, all in one transaction; then the outgoing events are published, and the
event is acknowledged. Killed before the commit, the event comes again and finds nothing of the first try;
killed after it, the event comes again and is known, and what the log holds unpublished is published at the
next start.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.runtime.announcements import Announcements
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.consuming import Consumer
from skewline.servers.runtime.event_rules import event_of
from skewline.servers.runtime.outbox import Outbox
from skewline.servers.runtime.settings.bus import BusSettings
from skewline.servers.runtime.telemetry import context_from, traceparent
from skewline.servers.runtime.transactions import Transactions
from skewline.servers.runtime.work_share import WorkShare
from skewline.storage import event_log, inbox
from skewline.storage.database import Database
from skewline.storage.errors import DatabaseUnreachableError
from skewline.storage.event_log import LoggedEvent
from skewline.v1 import event_pb2

_log = logging.getLogger(__name__)

T = TypeVar("T")

_MISSED: Final = 100
_PRUNE_EVERY: Final = 64


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish."""

    subject: str
    event: event_pb2.Event
    traceparent: str = ""
    """The span that it follows from; "" is the one that is current where the transaction is asked for."""


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
        self._bus = bus
        self._bus_settings = bus_settings
        self._tracer = tracer
        self._keep_events = keep_events
        self._keep_handled = keep_handled
        self._restore: Callable[[Connection], None] = _nothing_to_restore
        self._transactions = Transactions(service, database)
        self._announcements = Announcements(self._transactions)
        self._outbox = Outbox(service, self._transactions, bus)
        self._handled: list[Callable[[str, float], None]] = []
        self._consumers: list[Consumer] = []
        self._commits = 0
        self._stale = True

    async def start(self, restore: Callable[[Connection], None]) -> None:
        """Rebuild the engine from the tables, then publish what an earlier run left unpublished."""
        self._restore = restore
        await self._announcements.start()
        await self._rebuild()
        await self._outbox.start(self.outlast)

    async def stop(self) -> None:
        """Let the event in hand finish, stop consuming, publish and mark what is left."""
        for consumer in reversed(self._consumers):
            await consumer.stop()
        await self._outbox.stop()
        self._transactions.close()

    def on_committed(self, listener: Callable[[Sequence[LoggedEvent]], None]) -> None:
        """Call `listener`, on the event loop, with the events of each transaction after its commit."""
        self._announcements.listen(listener)

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

    async def write(self, change: Callable[[Connection], None], *outgoing: Outgoing) -> None:
        """Make a `change` that is not the engine's, and publish `outgoing` with it; takes the turn."""

        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            change(connection)
            return None, outgoing

        async with self.turn:
            await self.transact(work)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a reader thread, in one read-only transaction."""
        return await self._transactions.read(query)

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
        share: WorkShare | None = None,
    ) -> None:
        """Feed each event of `subjects` to `handle`, in order, once.

        `handle` runs while it holds the turn, inside the span `<service>.<payload>`, a child of the event's
        trace, and calls `transact(..., cause=delivered.event)` exactly once. `ready` is awaited first,
        without the turn: the place to wait for what another consumer of this service must bring. An event
        already handled is skipped. While the database is away the event waits: it is no fault of the event's.
        With a `share` other processes of the service pull from the same durable, and this one takes one event
        at a time from all consumers of the share.
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
                batch=settings.fetch_batch if share is None else 1,
                backoff_s=settings.backoff_s,
                share=share,
            )
        )

    async def follow(self, subjects: Sequence[str]) -> None:
        """Call the listeners of commits also after those of other processes, which publish to `subjects`."""

        async def on_delivery(delivery: Delivery) -> None:
            if not self._announcements.has_told(delivery.message_id):
                await self.outlast(self._announcements.catch_up)

        await self._bus.tail(tuple(subjects), on_delivery, headers_only=True)

    async def caught_up(self, durable: str) -> bool:
        """Whether everything published so far for this consumer is done with."""
        consumers = [consumer for consumer in self._consumers if consumer.plan.durable == durable]
        return bool(consumers) and all([await consumer.caught_up() for consumer in consumers])

    async def _transact(
        self, work: Callable[[Connection], tuple[T, Sequence[Outgoing]]], cause: event_pb2.Event | None
    ) -> T:
        published = self._outbox.take_published()
        try:
            commit = functools.partial(self._commit, work, cause, traceparent(), published)
            result, logged = await self._transactions.write(commit)
        except BaseException:
            self._outbox.give_back(published)
            await self._rebuild()
            raise
        await self._announcements.committed(logged)
        await self._outbox.publish(logged)
        return result

    async def _handle(
        self,
        delivery: Delivery,
        handle: Callable[[Delivered], Awaitable[None]],
        ready: Callable[[event_pb2.Event], Awaitable[None]] | None,
    ) -> None:
        received_ns = time.time_ns()
        event = event_of(delivery)
        if await self.read(lambda connection: inbox.seen(connection, event.event_id)):
            if delivery.attempt > 1:
                # Who handled it may have died before it published what follows, and the next waits here.
                await self._outbox.publish_backlog()
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
        connection: Connection,
    ) -> tuple[T, list[LoggedEvent]]:
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

    async def _rebuild(self) -> None:
        self._stale = True
        missed = await asyncio.shield(self._transactions.read_in_turn(self._restored))
        self._stale = False
        if missed:
            # The commit was done, and its confirmation lost with the database's connection.
            self._announcements.tell(missed)
            self._outbox.has_backlog()

    def _restored(self, connection: Connection) -> list[LoggedEvent]:
        self._restore(connection)
        return event_log.since(connection, self._announcements.newest, limit=_MISSED)


def _append(connection: Connection, item: Outgoing, parent: str) -> LoggedEvent:
    payload = item.event.SerializeToString(deterministic=True)
    sequence = event_log.append(
        connection,
        event_id=item.event.event_id,
        subject=item.subject,
        time_ns=item.event.time_ns,
        payload=payload,
        traceparent=item.traceparent or parent,
    )
    return LoggedEvent(
        sequence, item.event.event_id, item.subject, item.event.time_ns, payload, item.traceparent or parent
    )


def _nothing_to_restore(_connection: Connection) -> None:
    """Before `start` there is no engine."""
