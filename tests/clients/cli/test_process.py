"""The command as a process of its own: ^C, a closed pipe, start-up."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest
from recorded_stack import RecordedStack

_SKEWLINE = (sys.executable, "-c", "from skewline.clients.cli import main; main()")


@pytest.fixture
def command(stack: RecordedStack) -> tuple[str, ...]:
    return (*_SKEWLINE, "--address", f"signal={stack.address}")


async def test_watching_ends_well_with_ctrl_c(stack: RecordedStack, command: tuple[str, ...]) -> None:
    stack.signals.publish("a")
    process = await asyncio.create_subprocess_exec(
        *command, "watch", "signals", "--json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["sequence"] == 1
    process.send_signal(signal.SIGINT)
    rest, errors = await process.communicate()
    assert (process.returncode, rest, errors) == (0, b"", b"")


async def test_a_reader_that_goes_away_ends_it_without_a_traceback(
    stack: RecordedStack, command: tuple[str, ...]
) -> None:
    for n in range(2000):
        stack.signals.publish(str(n))
    process = await asyncio.create_subprocess_shell(
        f'"{command[0]}" -c "{command[2]}" {command[3]} {command[4]} '
        "watch signals --resume-after 1 --json | head -n 1",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert out.count(b"\n") == 1
    assert errors == b""
