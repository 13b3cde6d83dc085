"""Answering a stream's requests side by side: one that waits holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

_MOST: Final = 64


async def answers(requests: AsyncIterator[Q], answer: Callable[[Q], Awaitable[A]]) -> AsyncGenerator[A, None]:
    """The answers, each as soon as it is there, at most 64 requests at a time.

    The first error of any ends the stream and cancels the rest. Ends when all requests are answered.
    """
    ready: asyncio.Queue[A] = asyncio.Queue()
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

    listening = asyncio.create_task(listen())
    try:
        while True:
            getting = asyncio.create_task(ready.get())
            await asyncio.wait((getting, listening), return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
                continue
            getting.cancel()
            while not ready.empty():
                yield ready.get_nowait()
            try:
                listening.result()
            except BaseExceptionGroup as group:
                raise group.exceptions[0] from None
            return
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
