"""The clocks of live feeds, passed in so that tests can move them."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time, a clock that only goes forward, and waiting."""

    def time_ns(self) -> int:
        """Wall clock, ns since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds of a clock that is never set back."""

    async def sleep(self, seconds: float) -> None:
        """Return when they have passed."""


class SystemClock:
    """This machine's."""

    def time_ns(self) -> int:
        """Wall clock, ns since the epoch, UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds of a clock that is never set back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return when they have passed."""
        await asyncio.sleep(seconds)
