"""The running stack is found by its file, and what is wrong with the file is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skewline.clients import Endpoints, NoStack, SkewlineError, running_stack
from skewline.servers.runtime.stack_file import ProcessState, StackState, stack_path, write_stack


def running(pid: int) -> StackState:
    process = ProcessState("serving", pid, 1, "127.0.0.1:50054", "", "risk.log", "")
    return StackState(
        pid, 1, "running", "nats://127.0.0.1:4222", processes={"nats": process, "risk": process}
    )


def test_what_the_supervisor_wrote_is_read(tmp_path: Path) -> None:
    write_stack(tmp_path, running(os.getpid()))
    stack = running_stack(tmp_path)
    assert (stack.state, stack.processes["risk"].restarts) == ("running", 1)
    assert Endpoints.of_running_stack(tmp_path) == Endpoints(risk="127.0.0.1:50054")


def test_the_home_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(tmp_path, running(os.getpid()))
    monkeypatch.setenv("SKEWLINE_HOME", str(tmp_path))
    assert running_stack().home == tmp_path


def test_no_file_says_how_to_start_a_stack(tmp_path: Path) -> None:
    with pytest.raises(NoStack, match=r"no stack runs at .*skewline up --home"):
        running_stack(tmp_path)


def test_the_file_of_a_stack_that_is_gone_is_stale(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_stack(tmp_path, running(gone.pid))
    with pytest.raises(NoStack, match=f"is gone \\(process {gone.pid} ended\\); start one with"):
        running_stack(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 1, "pid": 1}',
        '{"version": 1, "processes": 3}',
        "\xff",
    ],
)
def test_a_file_that_is_none_is_said(tmp_path: Path, content: str) -> None:
    stack_path(tmp_path).write_text(content, encoding="latin-1")
    with pytest.raises(NoStack, match=r"stack\.json"):
        running_stack(tmp_path)


@pytest.mark.parametrize("address", ["", "here", "host:", ":1", "host:0", "host:65536", "host:x"])
def test_an_address_that_is_none_is_said(address: str) -> None:
    with pytest.raises(SkewlineError, match="of risk must be host:port"):
        Endpoints().at({"risk": address})


def test_an_unknown_service_is_said() -> None:
    with pytest.raises(SkewlineError, match="'riks' is no service; one of marketdata, "):
        Endpoints().at({"riks": "127.0.0.1:1"})
