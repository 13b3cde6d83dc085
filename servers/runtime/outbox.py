"""What a service committed, on its way to the bus: published in order, again if need be, and marked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from skewline.servers.runtime.bus import Bus, PublishFailed
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.transactions import Transactions
from skewline.storage import event_log
from skewline.storage.errors import DatabaseUnreachableError
from skewline.storage.event_log import LoggedEvent

_log = logging.getLogger(__name__)

_RELAY_EVERY_S: Final = 0.5
_BATCH: Final = 100

Outlast = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


class Outbox:
    """Publishes events of the log under their ids. What the bus did not take waits in the log for the relay.

    An event is marked in a later transaction; killed in between, it is published again, and dropped there.
    """

    def __init__(self, service: str, transactions: Transactions, bus: Bus) -> None:
        self._service = service
        self._transactions = transactions
        self._bus = bus
        self._publishing = asyncio.Lock()
        self._published: list[int] = []
        self._backlog = asyncio.Event()
        self._relay: asyncio.Task[None] | None = None

    async def start(self, outlast: Outlast) -> None:
        """Publish what an earlier run left, then begin to publish again what fails; `outlast` retries."""
        await self.publish_backlog()
        self._relay = asyncio.create_task(self._relay_backlog(outlast), name=f"{self._service} outbox relay")

    async def stop(self) -> None:
        """Mark what is published."""
        if self._relay is not None:
            await end(self._relay)
        try:
            await self._mark()
        except DatabaseUnreachableError as error:
            _log.warning(
                "%s: what is published is published again at the next start: %s", self._service, error
            )

    def has_backlog(self) -> None:
        """Say that the log has events that were not published."""
        self._backlog.set()

    def take_published(self) -> list[int]:
        """Sequences to mark in the transaction at hand; `give_back` them if it fails."""
        published, self._published = self._published, []
        return published

    def give_back(self, published: Sequence[int]) -> None:
        """These are not marked yet."""
        self._published.extend(published)

    async def publish(self, logged: Sequence[LoggedEvent]) -> None:
        """Publish events that were just committed."""
        if not logged:
            return
        async with self._publishing:
            # What waits in the log goes first: the relay keeps the order.
            if not self._backlog.is_set():
                await self._send(logged)

    async def publish_backlog(self) -> None:
        """Publish all that the log has unmarked."""
        async with self._publishing:
            self._backlog.clear()
            await self._mark()
            while batch := await self._transactions.read(_unpublished):
                await self._send(batch)
                if self._backlog.is_set():
                    return
                await self._mark()

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
            _log.warning("%s: %s; they are published again from the event log", self._service, failure)
            self._backlog.set()
            return
        self._published.extend(item.sequence for item in logged)

    async def _mark(self) -> None:
        published = self.take_published()
        try:
            if published:
                await self._transactions.write(
                    lambda connection: event_log.mark_published(connection, published)
                )
        except BaseException:
            self.give_back(published)
            raise

    async def _relay_backlog(self, outlast: Outlast) -> None:
        while True:
            await self._backlog.wait()
            await asyncio.sleep(_RELAY_EVERY_S)
            await outlast(self.publish_backlog)


def _unpublished(connection: Connection) -> list[LoggedEvent]:
    return event_log.unpublished(connection, _BATCH)
