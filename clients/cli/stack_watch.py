"""Watches the file of a stack while a command runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from skewline.clients.errors import NoStack
from skewline.clients.stack import StackProcess, running_stack

_EVERY_S: Final = 0.1


@asynccontextmanager
async def watching(home: Path, changed: Callable[[Mapping[str, StackProcess]], None]) -> AsyncIterator[None]:
    """Calls `changed` with the processes of the stack at `home` each time they changed, inside the block."""
    task = asyncio.create_task(_watch(home, changed))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(home: Path, changed: Callable[[Mapping[str, StackProcess]], None]) -> None:
    seen: Mapping[str, StackProcess] = {}
    while True:
        with suppress(NoStack):
            processes = running_stack(home).processes
            if processes != seen:
                seen = processes
                changed(processes)
        await asyncio.sleep(_EVERY_S)


class RestartLines:
    """Turns changes of the processes into lines: what went down, and what serves again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._seen: dict[str, StackProcess] = {}

    def __call__(self, processes: Mapping[str, StackProcess]) -> None:
        """Say what changed since the last call."""
        for name, process in processes.items():
            before = self._seen.get(name)
            self._seen[name] = process
            if before is None or before.state == process.state:
                continue
            if process.state in ("restarting", "failed"):
                # The end of its log is part of the problem; its last line says most.
                why = (process.problem.splitlines() or ["it ended"])[-1].strip()
                self._say(f"{name}: {process.state}: {why}; log {process.log}")
            elif process.state == "serving":
                self._say(f"{name}: serving again at {process.address}, restart {process.restarts}")
