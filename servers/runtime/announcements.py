"""What is committed, told to those in this process who listen, whichever process committed it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from skewline.servers.runtime.transactions import Transactions
from skewline.storage import event_log
from skewline.storage.event_log import LoggedEvent

_PAGE: Final = 32
_REMEMBERED: Final = 1024

Listener = Callable[[Sequence[LoggedEvent]], None]


class Announcements:
    """Tells listeners, on the event loop, each event of the log once and in the log's order."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._listeners: list[Listener] = []
        self._told: OrderedDict[str, None] = OrderedDict()
        self._newest = 0
        self._catching_up = asyncio.Lock()

    @property
    def newest(self) -> int:
        """The sequence up to which all is told."""
        return self._newest

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of each transaction after its commit."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin behind what the log has."""
        self._newest = await self._transactions.read(event_log.latest_sequence)

    def has_told(self, event_id: str) -> bool:
        """Whether this event was among those told of late."""
        return event_id in self._told

    async def committed(self, logged: Sequence[LoggedEvent]) -> None:
        """Tell of a transaction of this process."""
        if logged and logged[0].sequence > self._newest + 1:
            # Another process may have committed in between.
            await self.catch_up()
        else:
            self.tell(logged)

    async def catch_up(self) -> None:
        """Tell what the log has and was not told."""
        async with self._catching_up:
            while page := await self._transactions.read(self._next_page):
                self.tell(page)

    def tell(self, logged: Sequence[LoggedEvent]) -> None:
        """Tell of events; those told before are left out."""
        fresh = [item for item in logged if item.sequence > self._newest]
        if not fresh:
            return
        self._newest = fresh[-1].sequence
        for item in fresh:
            self._told[item.event_id] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        for listener in self._listeners:
            listener(fresh)

    def _next_page(self, connection: Connection) -> list[LoggedEvent]:
        return event_log.since(connection, self._newest, limit=_PAGE)
