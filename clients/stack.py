"""The stack that runs on this machine, as its supervisor wrote it to `<home>/stack.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skewline.clients.errors import NoStack

_FILE: Final = "stack.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class StackProcess:
    """One process of the stack."""

    state: str
    """starting, serving, restarting, failed or stopped."""
    pid: int
    """0 while it does not run."""
    restarts: int
    address: str
    metrics: str
    """Address of its Prometheus endpoint; empty when it serves none."""
    log: str
    problem: str
    """How it ended last, for people."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The supervisor and its processes."""

    home: Path
    pid: int
    started_ns: int
    """Wall clock, ns since the epoch, UTC."""
    state: str
    """starting, running, failed or stopping."""
    problem: str
    nats_url: str
    processes: Mapping[str, StackProcess]
    """By name, in the order of their start; `nats` only if the supervisor runs it."""


def usual_home() -> Path:
    """`SKEWLINE_HOME`, else ~/.skewline."""
    return Path(os.environ.get("SKEWLINE_HOME") or "~/.skewline").expanduser()


def running_stack(home: Path | str | None = None) -> Stack:
    """The stack that runs at `home`. Raises NoStack when none does, or the file cannot be read."""
    folder = usual_home() if home is None else Path(home).expanduser()
    path = folder / _FILE
    start = f"start one with `skewline up{'' if home is None else f' --home {home}'}`"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise NoStack(f"{path} is of version {content['version']}, this client reads {_VERSION}")
        stack = Stack(
            home=folder,
            pid=content["pid"],
            started_ns=content["started_ns"],
            state=content["state"],
            problem=content["problem"],
            nats_url=content["nats_url"],
            processes={name: StackProcess(**process) for name, process in content["processes"].items()},
        )
    except FileNotFoundError:
        raise NoStack(f"no stack runs at {folder}; {start}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoStack(f"{path} cannot be read ({error}); remove it and {start}") from None
    if not _alive(stack.pid):
        raise NoStack(f"the stack at {folder} is gone (process {stack.pid} ended); {start}")
    return stack


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
