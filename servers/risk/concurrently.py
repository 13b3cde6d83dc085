"""Answering a stream's requests side by side: one that waits holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class _End:
    """Stands behind the last answer."""


async def answers(
    requests: AsyncIterator[Q], answer: Callable[[Q], Awaitable[A]], draining: asyncio.Event
) -> AsyncGenerator[A, None]:
    """The answers, each as soon as it is there, at most 64 requests at a time.

    The first error of any ends the stream and cancels the rest. Ends when all requests are answered, or when
    `draining` is set: who still waits then asks again elsewhere.
    """
    ready: asyncio.Queue[A | _End] = asyncio.Queue()
    room = asyncio.Semaphore(_MOST)

    async def one(request: Q) -> None:
        try:
            await ready.put(await answer(request))
        finally:
            room.release()

    async def listen() -> None:
        async with asyncio.TaskGroup() as group:
            async for request in requests:
                await room.acquire()
                group.create_task(one(request))
        await ready.put(_End())

    listening = asyncio.create_task(listen())
    ending = asyncio.create_task(draining.wait())
    getting = asyncio.create_task(ready.get())
    try:
        while True:
            awaited = (getting, ending) if listening.done() else (getting, ending, listening)
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                item = getting.result()
                if isinstance(item, _End):
                    return
                yield item
                getting = asyncio.create_task(ready.get())
            elif ending.done():
                return
            else:
                try:
                    listening.result()
                except BaseExceptionGroup as group:
                    raise group.exceptions[0] from None
    finally:
        for task in (listening, ending, getting):
            task.cancel()
        await asyncio.gather(listening, ending, getting, return_exceptions=True)
