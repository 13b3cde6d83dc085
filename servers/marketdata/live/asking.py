"""A question to a venue beside the stream that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.runtime.ending import end

T = TypeVar("T")


class Asking(Generic[T]):
    """One question at a time; the next one not before a pause is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._task: asyncio.Task[T] | None = None
        self._not_before = clock.monotonic()

    @property
    def idle(self) -> bool:
        """Whether a question may be asked now."""
        return self._task is None and self._clock.monotonic() >= self._not_before

    @property
    def answered(self) -> bool:
        """Whether `answer` has something."""
        return self._task is not None and self._task.done()

    def ask(self, question: Coroutine[Any, Any, T]) -> None:
        """Begin it; only when `idle`."""
        self._task = asyncio.create_task(question, name="ask a venue")

    def answer(self) -> T:
        """What came of it; only when `answered`. Raises what the question raised."""
        task, self._task = self._task, None
        assert task is not None
        return task.result()

    def pause(self, seconds: float) -> None:
        """Ask nothing for so long."""
        self._not_before = self._clock.monotonic() + seconds

    async def end(self) -> None:
        """Let go of what is under way."""
        if self._task is not None:
            await end(self._task)
