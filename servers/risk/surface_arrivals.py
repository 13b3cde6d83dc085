"""Waiting for the surface of a snapshot, which another consumer brings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class SurfaceArrivals:
    """Wakes those who wait whenever a surface was stored."""

    def __init__(self, is_in: Callable[[str], Awaitable[bool]]) -> None:
        """`is_in` tells whether the surface of a snapshot is stored."""
        self._is_in = is_in
        self._next = asyncio.Event()

    def announce(self) -> None:
        """A surface was stored."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, snapshot_id: str, timeout_s: float) -> None:
        """Return when the surface is stored. Raises TimeoutError after `timeout_s` seconds."""
        async with asyncio.timeout(timeout_s):
            while True:
                # Taken before asking: what arrives between the two is not missed.
                arrival = self._next
                if await self._is_in(snapshot_id):
                    return
                await arrival.wait()
