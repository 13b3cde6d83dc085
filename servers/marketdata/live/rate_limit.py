"""Politeness to a venue: requests kept apart."""

from __future__ import annotations

from skewline.servers.marketdata.live.clock import Clock


class RateLimit:
    """At most `per_s` requests a second, evenly spaced, in the order in which they were asked for."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._apart = 1.0 / per_s
        self._clock = clock
        self._next = clock.monotonic()

    async def turn(self) -> None:
        """Return when the next request may be made."""
        now = self._clock.monotonic()
        at = max(self._next, now)
        self._next = at + self._apart
        if at > now:
            await self._clock.sleep(at - now)
