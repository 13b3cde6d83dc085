"""Libraries that block, beside the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

Job = Callable[[], None]


class Blocking:
    """Calls of a library that blocks, one after another, in a thread of their own.

    `asyncio.to_thread` would not do: the process does not end before its threads have, and they are shared,
    so that a few calls that hang would hold up everything else.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Cancelled, it is left to run out."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                result = call()
            except Exception as error:  # noqa: BLE001 - whoever asked has it
                told = _fail(answer, error)
            else:
                told = _fulfil(answer, result)
            # Nobody waits any longer when the loop has ended.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(told)

        self._jobs.put(job)
        return await answer

    def end(self) -> None:
        """No further call; the thread ends after the one that runs."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


@asynccontextmanager
async def blocking(name: str) -> AsyncIterator[Blocking]:
    """A thread for calls that block; let go of at the end of the block."""
    thread = Blocking(name)
    try:
        yield thread
    finally:
        thread.end()


def _fulfil(answer: asyncio.Future[T], result: T) -> Job:
    return lambda: None if answer.done() else answer.set_result(result)


def _fail(answer: asyncio.Future[T], error: Exception) -> Job:
    return lambda: None if answer.done() else answer.set_exception(error)
