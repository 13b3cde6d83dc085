import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest


async def line_with(stream: asyncio.StreamReader, part: str) -> str:
    seen = []
    while line := (await stream.readline()).decode():
        seen.append(line)
        if part in line:
            return "".join(seen)
    raise AssertionError("".join(seen))


@pytest.mark.slow
async def test_up_runs_until_it_is_told_to_stop_and_leaves_nothing(tmp_path: Path) -> None:
    command = "from skewline.clients.cli import main; main()"
    up = await asyncio.create_subprocess_exec(
        sys.executable, "-c", command, "up", "--free-ports", "--home", str(tmp_path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert up.stdout is not None
    try:
        async with asyncio.timeout(60):
            shown = await line_with(up.stdout, "Ctrl-C")
            processes = json.loads((tmp_path / "stack.json").read_text())["processes"]
            for name, process in processes.items():
                assert name in shown
                assert process["address"] in shown
            os.kill(processes["signal"]["pid"], signal.SIGKILL)
            await line_with(up.stdout, "signal: serving again")
            up.send_signal(signal.SIGTERM)
            await line_with(up.stdout, "stopped")
            assert await up.wait() == 0
    finally:
        if up.returncode is None:
            up.kill()
    assert not (tmp_path / "stack.json").exists()
    for process in processes.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process["pid"], 0)
