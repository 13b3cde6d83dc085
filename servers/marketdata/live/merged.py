"""Several connections to a venue, heard as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.source import Missed, SourceFault
from skewline.servers.marketdata.live.websocket import Message, Messages
from skewline.servers.runtime.ending import end

_MOST_WAITING: Final = 4096
_A_WHILE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message, or what could not be read, and the wall clock when it came."""

    time_ns: int
    content: Message | Missed


class Merged:
    """Messages of all connections in the order in which they came. Make it with `merged`.

    Each connection is read while others are waited for, so that it stays alive; beyond a bound it is left to
    the network to hold it up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: asyncio.Queue[Received | Exception] = asyncio.Queue(_MOST_WAITING)

    async def next(self, within_s: float) -> Received | None:
        """The next message, None if none came in time. Raises SourceFault when any connection broke."""
        try:
            received = self._waiting.get_nowait()
        except asyncio.QueueEmpty:
            try:
                async with asyncio.timeout(within_s):
                    received = await self._waiting.get()
            except TimeoutError:
                return None
        if isinstance(received, Exception):
            raise received
        return received

    async def read(self, connection: Messages) -> None:
        """Take what one connection brings until it breaks. What is no JSON is no reason to leave it."""
        while True:
            content: Message | Missed | None
            try:
                content = await connection.next(_A_WHILE_S)
            except SourceFault as fault:
                if fault.reason != "UNREADABLE":
                    await self._waiting.put(fault)
                    return
                content = Missed(fault.reason, fault.detail)
            except Exception as error:  # noqa: BLE001 - raised where the messages are taken
                await self._waiting.put(error)
                return
            if content is not None:
                await self._waiting.put(Received(self._clock.time_ns(), content))


@asynccontextmanager
async def merged(connections: Sequence[Messages], clock: Clock) -> AsyncIterator[Merged]:
    """Reads all `connections` inside the block."""
    one = Merged(clock)
    tasks = [asyncio.create_task(one.read(each), name="read a venue") for each in connections]
    try:
        yield one
    finally:
        await end(*tasks)
