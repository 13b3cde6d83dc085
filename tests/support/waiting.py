"""Waiting for what must come to pass, without sleeping for luck."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

DEADLINE_S = 20.0


async def until(reached: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Return as soon as `reached()`; raises TimeoutError when it is not within `deadline_s`."""
    async with asyncio.timeout(deadline_s):
        while not reached():  # noqa: ASYNC110 - what is awaited happens outside of this loop
            await asyncio.sleep(0.005)


def gone(pid: int) -> bool:
    """Whether the process has ended, also if nobody has asked for its status yet (Linux)."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until_so(reached: Callable[[], Awaitable[bool]], deadline_s: float = DEADLINE_S) -> None:
    """Return as soon as `reached()` says so, which may ask others; raises TimeoutError after `deadline_s`."""
    async with asyncio.timeout(deadline_s):
        while not await reached():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
