"""`<home>/stack.json`: what a supervisor runs, for clients that look for the services.

This is the one description of its shape; readers outside of the servers parse the JSON themselves::

    {
      "version": 1,
      "pid": 4711,                           the supervisor; the file is stale when that process is gone
      "started_ns": 1767225600000000000,     wall clock, ns since the epoch, UTC
      "state": "running",                    starting | running | failed | stopping
      "problem": "",                         why it failed, for people
      "nats_url": "nats://127.0.0.1:4222",   passwords and tokens masked
      "processes": {                         in the order of their start; "nats" only if it is run here
        "risk": {
          "state": "serving",                starting | serving | restarting | failed | stopped
          "pid": 4712,                       0 while it does not run
          "restarts": 0,
          "address": "127.0.0.1:50054",      gRPC (of "nats": the NATS port)
          "metrics": "127.0.0.1:40001",      Prometheus, "" when it serves none
          "log": "/home/me/.skewline/logs/risk.log",
          "problem": ""                      how it ended last, for people
        }
      }
    }

It is replaced atomically on every change and removed when the stack stops.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

_VERSION: Final = 1
_NAME: Final = "stack.json"

StackPhase: TypeAlias = Literal["starting", "running", "failed", "stopping"]
ProcessPhase: TypeAlias = Literal["starting", "serving", "restarting", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process of the stack; see the module for the fields."""

    state: ProcessPhase
    pid: int
    restarts: int
    address: str
    metrics: str
    log: str
    problem: str


@dataclass(frozen=True, slots=True)
class StackState:
    """The whole stack; see the module for the fields."""

    pid: int
    started_ns: int
    state: StackPhase
    nats_url: str
    problem: str = ""
    processes: Mapping[str, ProcessState] = field(default_factory=dict)


def stack_path(home: Path) -> Path:
    """Where the file of the stack at `home` is."""
    return home / _NAME


def write_stack(home: Path, stack: StackState) -> None:
    """Replace the file in one step."""
    path = stack_path(home)
    fresh = path.with_name(f".{_NAME}.{os.getpid()}")
    fresh.write_text(json.dumps({"version": _VERSION} | asdict(stack), indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)


def remove_stack(home: Path) -> None:
    """Remove the file, if it is there."""
    stack_path(home).unlink(missing_ok=True)


def read_stack(home: Path) -> StackState | None:
    """The stack that runs at `home`; None when there is none, or only the file of one that is gone."""
    try:
        content = json.loads(stack_path(home).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if content["version"] != _VERSION or not _alive(content["pid"]):
        return None
    processes = {name: ProcessState(**process) for name, process in content["processes"].items()}
    return StackState(
        content["pid"],
        content["started_ns"],
        content["state"],
        content["nats_url"],
        content["problem"],
        processes,
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
