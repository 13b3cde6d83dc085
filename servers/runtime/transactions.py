"""A service's database off the event loop: one thread writes, a few read."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Connection

from skewline.storage import event_log
from skewline.storage.database import Database

T = TypeVar("T")

_READERS: Final = 2


class Transactions:
    """Runs calls in threads, each in a transaction of its own; writes one after another."""

    def __init__(self, service: str, database: Database) -> None:
        self._database = database
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{service}-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix=f"{service}-reader")

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction, which is rolled back whole if it raises.

        Of several processes that write to one service's database, one writes at a time.
        """
        return await self._in(self._writer, functools.partial(self._written, work))

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a read-only transaction."""
        return await self._in(self._readers, functools.partial(self._answered, query))

    async def read_in_turn(self, query: Callable[[Connection], T]) -> T:
        """Run `query` in a read-only transaction behind the writes that were asked for before."""
        return await self._in(self._writer, functools.partial(self._answered, query))

    def close(self) -> None:
        """Let what runs end, and take no more."""
        self._writer.shutdown()
        self._readers.shutdown()

    def _written(self, work: Callable[[Connection], T]) -> T:
        with self._database.begin() as connection:
            event_log.take_turn(connection)
            return work(connection)

    def _answered(self, query: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return query(connection)

    async def _in(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        # A pool's threads have no context of their own: without this, spans opened there would lack a parent.
        call_here = functools.partial(contextvars.copy_context().run, call)
        return await asyncio.get_running_loop().run_in_executor(pool, call_here)
