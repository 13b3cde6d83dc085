"""Live streams of the services: what a service commits, to every client that subscribed.

A service makes one `Feed` for each kind of event that it streams, and its rpc is::

    async def StreamChains(self, requests, context):
        async for response in stream_subscription(self._feed, requests, StreamChainsResponse):
            yield response
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection, func, or_, select

from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.conversation import converse, terms_of
from skewline.servers.runtime.errors import FieldViolation, InvalidArgument
from skewline.servers.runtime.messages import copy_into
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.subscription import (
    Entry,
    Gap,
    Grant,
    Heartbeat,
    History,
    Reply,
    Snapshot,
    Terms,
    Update,
)
from skewline.storage import event_log
from skewline.storage.event_log import LoggedEvent
from skewline.storage.schema import EVENT_LOG
from skewline.v1 import event_pb2

T = TypeVar("T", bound=Message)
R = TypeVar("R", bound=Message)

# A page of chains is held in memory for each client that resumes.
_PAGE: Final = 8

Command = Callable[[Any], Awaitable[Terms | Grant | Reply]]


class Write(Protocol):
    """Puts an item into a response: its snapshot or update field, or whichever the service has."""

    def __call__(self, response: Any, item: Snapshot[Any] | Update[Any]) -> None:
        """Fill `response` with `item`."""


class Streamed(Protocol[T]):
    """What can be streamed to clients."""

    @property
    def broadcast(self) -> Broadcast[T]:
        """Where its items are offered."""


class Feed(Generic[T]):
    """The events of `subjects` (`market.chain.>`), as `item_of` takes them out of their envelopes.

    An event of which `item_of` returns None is not streamed. Items are keyed by their event's underlying.
    For `lossless` and `capacity` see `Broadcast`. Make it before the processor commits, then `start`.
    """

    def __init__(
        self,
        processor: Processor,
        subjects: Sequence[str],
        item_of: Callable[[event_pb2.Event], T | None],
        *,
        lossless: bool = False,
        capacity: int = 64,
    ) -> None:
        self._processor = processor
        self._subjects = tuple(subjects)
        self._item_of = item_of
        self.broadcast: Broadcast[T] = Broadcast(since=self._since, lossless=lossless, capacity=capacity)
        processor.on_committed(self._offer)

    async def start(self) -> None:
        """Take what is current from the event log."""
        self._offer(await self._processor.read(self._newest_of_each_subject))

    def close(self) -> None:
        """End every stream."""
        self.broadcast.close()

    def _offer(self, logged: Sequence[LoggedEvent]) -> None:
        for entry in self._entries([item for item in logged if self._has(item.subject)]):
            self.broadcast.offer(entry.key, entry.sequence, entry.item)

    def _entries(self, logged: Sequence[LoggedEvent]) -> list[Entry[T]]:
        entries = []
        for item in logged:
            event = event_pb2.Event.FromString(item.payload)
            content = self._item_of(event)
            if content is not None:
                entries.append(Entry(item.sequence, event.underlying, content))
        return entries

    def _has(self, subject: str) -> bool:
        return any(
            subject.startswith(held[:-1]) if held.endswith(".>") else subject == held
            for held in self._subjects
        )

    async def _since(self, sequence: int) -> History[T]:
        def page(connection: Connection) -> History[T]:
            newest = event_log.latest_sequence(connection)
            entries: list[Entry[T]] = []
            after = sequence
            # Events without an item must not make a page look like the end of the log.
            while not entries and (logged := event_log.since(connection, after, self._subjects, limit=_PAGE)):
                after = logged[-1].sequence
                entries = self._entries(logged)
            return History(entries, event_log.oldest_sequence(connection), newest)

        return await self._processor.read(page)

    def _newest_of_each_subject(self, connection: Connection) -> list[LoggedEvent]:
        held = [
            func.substr(EVENT_LOG.c.subject, 1, len(subject) - 1) == subject[:-1]
            if subject.endswith(".>")
            else EVENT_LOG.c.subject == subject
            for subject in self._subjects
        ]
        newest = select(func.max(EVENT_LOG.c.sequence)).where(or_(*held)).group_by(EVENT_LOG.c.subject)
        sequences = sorted(connection.execute(newest).scalars())
        return [event_log.since(connection, sequence - 1, limit=1)[0] for sequence in sequences]


def write_item(response: Any, item: Snapshot[Any] | Update[Any]) -> None:
    """The usual response: fields `snapshot` and `update` of the item's own type."""
    copy_into(response.snapshot if isinstance(item, Snapshot) else response.update, item.item)


async def stream_subscription(
    feed: Streamed[T],
    requests: AsyncIterator[Any],
    response_type: type[R],
    *,
    write: Write = write_item,
    command: Command | None = None,
    draining: asyncio.Event | None = None,
) -> AsyncGenerator[R, None]:
    """The body of a stream rpc: a snapshot of what is current, then updates, gaps and heartbeats.

    Requests have a oneof `command` with `subscribe` and `credit`; a service with more of them gives its own
    `command`, which handles them and leaves these two to `subscription_command`; a Reply's value is a
    response. The stream ends when `draining` is set. Raises InvalidArgument and ResourceExhausted as
    `Subscriber` does.
    """
    items = converse(feed.broadcast, requests, command or subscription_command, draining=draining)
    try:
        async for item in items:
            match item:
                case Reply(value):
                    assert isinstance(value, response_type)
                    response: Any = value
                case Gap():
                    response = response_type()
                    response.gap.from_sequence = item.from_sequence
                    response.gap.to_sequence = item.to_sequence
                    response.gap.reason = item.reason
                    response.gap.skipped = item.skipped
                case Heartbeat():
                    response = response_type()
                    response.heartbeat.sequence = item.newest
                    response.heartbeat.time_ns = time.time_ns()
                case _:
                    response = response_type()
                    write(response, item)
            response.sequence = item.sequence
            yield response
    finally:
        await items.aclose()


async def subscription_command(request: Any) -> Terms | Grant | Reply:
    """What a request's `subscribe` or `credit` means. Raises InvalidArgument if it has neither."""
    match request.WhichOneof("command"):
        case "subscribe":
            return terms_of(request.subscribe)
        case "credit":
            return Grant(request.credit.updates)
    raise InvalidArgument([FieldViolation("command", "is required: set subscribe or credit")])
