"""A child process with a log file, that dies with its parent and can be stopped for sure."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final, Self

from skewline.servers.runtime.parent_death import bound_to_parent

_TAIL_LINES: Final = 20
_TAIL_BYTES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a program."""

    name: str
    arguments: Sequence[str]
    """The first is the program's path."""
    environment: Mapping[str, str]
    """Complete: nothing is inherited besides."""
    log: Path
    """Its output is appended here."""


class ChildProcess:
    """A running program in a session of its own; start it with `spawn`."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process, log_start: int) -> None:
        self._command = command
        self._process = process
        self._log_start = log_start

    @classmethod
    async def spawn(cls, command: Command) -> Self:
        """Start it. Raises OSError when the program cannot be run."""
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            start = log.seek(0, os.SEEK_END)
            process = await asyncio.create_subprocess_exec(
                *bound_to_parent(command.arguments, signal.SIGKILL),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(command.environment),
                # A Ctrl-C in the terminal is the supervisor's to handle, in order.
                start_new_session=True,
            )
        return cls(command, process, start)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def wait(self) -> str:
        """Until it ended; says how."""
        return _ending(await self._process.wait())

    async def stop(self, grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL to it and all it started. Returns when it is gone."""
        if self._process.returncode is None:
            self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL to it and all it started. Returns when it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    def last_words(self) -> str:
        """What it said last since its start: the plain lines that it ended with, else those of its log."""
        with self._command.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            lines = deque(log.read().decode(errors="replace").splitlines(), maxlen=_TAIL_LINES)
        plain = list(takewhile(lambda line: not line.startswith("{"), reversed(lines)))
        return "\n".join(f"  {line}" for line in (plain[::-1] or lines)) or "  (it logged nothing)"


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
