"""The command line, run in this process against a recorded stack."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from command_line import Outcome
from recorded_stack import RecordedStack, recorded_stack
from typer.testing import CliRunner

from skewline.clients.cli import build
from skewline.clients.endpoints import SERVICE_NAMES

Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RecordedStack]:
    """The recorded stack, announced in `stack.json` under `tmp_path` as its supervisor would."""
    async with recorded_stack(tmp_path) as stack:
        process = {
            "state": "serving",
            "pid": os.getpid(),
            "restarts": 2,
            "address": stack.address,
            "metrics": "",
            "log": "",
            "problem": "",
        }
        content = {
            "version": 1,
            "pid": os.getpid(),
            "started_ns": 1,
            "state": "running",
            "problem": "",
            "nats_url": "nats://127.0.0.1:4222",
            "processes": dict.fromkeys(("nats", *SERVICE_NAMES), process),
        }
        (tmp_path / "stack.json").write_text(json.dumps(content))
        yield stack


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `skewline ARGUMENTS…` with this test's home."""
    monkeypatch.setenv("SKEWLINE_HOME", str(tmp_path))

    async def run(*arguments: str) -> Outcome:
        result = await asyncio.to_thread(CliRunner().invoke, build(), list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run
