"""The end of background tasks."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any], again_s: float = 1.0) -> None:
    """Cancel tasks and return when they have ended, whatever they raise then.

    Each is told again every `again_s` seconds: `asyncio.wait_for`, of which nats-py is made, loses a
    cancellation that comes together with its result (Python before 3.12, cpython#86296).
    """
    pending = [task for task in tasks if not task.done()]
    while pending:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=again_s)
        pending = [task for task in pending if not task.done()]
    await asyncio.gather(*tasks, return_exceptions=True)
