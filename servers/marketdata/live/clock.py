"""The clocks of live feeds, passed in so that tests can move them."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

_NANOS_A_SECOND: Final = 1_000_000_000
_LOOKED_AT_EVERY_S: Final = 60.0


class Clock(Protocol):
    """Wall time, a clock that only goes forward, and waiting."""

    def time_ns(self) -> int:
        """Wall clock, ns since the epoch, UTC."""

    def monotonic(self) -> float:
        """Seconds of a clock that is never set back."""

    async def sleep(self, seconds: float) -> None:
        """Return when they have passed."""


async def sleep_until(clock: Clock, time_ns: int) -> None:
    """Return when the wall clock says so, also after the machine was suspended meanwhile."""
    while (left_ns := time_ns - clock.time_ns()) > 0:
        await clock.sleep(min(left_ns / _NANOS_A_SECOND, _LOOKED_AT_EVERY_S))


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
