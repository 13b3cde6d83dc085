"""`skewline status`: what runs, where, and whether it serves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import typer

from skewline.clients.cli.command import REFUSED, UNREACHABLE, stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.clients.client import Client
    from skewline.clients.methods import Service
    from skewline.clients.stack import Stack

_NO_ANSWER: Final = "NO ANSWER"
_GOOD: Final = ("SERVING", "serving")
_ANSWER_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """One process of the stack, or a service elsewhere."""

    service: str
    health: str
    """SERVING, NOT SERVING or NO ANSWER; of NATS, what its supervisor says."""
    address: str
    pid: int = 0
    uptime_seconds: float | None = None
    restarts: int = 0
    problem: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


@stack_command
def status(terminal: Terminal) -> None:
    """Health, address, process, uptime and restarts of each service. Exit status 1 if one does not serve."""
    from skewline.clients.endpoints import SERVICE_NAMES
    from skewline.clients.errors import NoStack
    from skewline.clients.stack import running_stack

    stack: Stack | None = None
    try:
        stack = running_stack(terminal.home)
    except NoStack:
        if not terminal.explicit:
            raise
    rows = _rows(terminal, stack)
    if terminal.as_json:
        terminal.json(
            {
                "home": "" if stack is None else str(stack.home),
                "state": "" if stack is None else stack.state,
                "problem": "" if stack is None else stack.problem,
                "pid": 0 if stack is None else stack.pid,
                "started_ns": 0 if stack is None else stack.started_ns,
                "services": [asdict(row) for row in rows],
            }
        )
    else:
        _print(terminal, stack, rows)
    if all(row.health == _NO_ANSWER for row in rows if row.service in SERVICE_NAMES):
        raise typer.Exit(UNREACHABLE)
    if any(row.health not in _GOOD for row in rows):
        raise typer.Exit(REFUSED)


def _rows(terminal: Terminal, stack: Stack | None) -> list[Row]:
    from skewline.clients.cli.process_age import process_age_s
    from skewline.clients.endpoints import SERVICE_NAMES

    processes = {} if stack is None else dict(stack.processes)
    rows = []
    for name in [*(name for name in processes if name not in SERVICE_NAMES), *SERVICE_NAMES]:
        process = processes.get(name)
        elsewhere = name in terminal.explicit
        if process is None and not elsewhere:
            continue
        address = terminal.explicit[name] if elsewhere or process is None else process.address
        health = _health(terminal.client, name) if name in SERVICE_NAMES else process.state if process else ""
        if process is None or elsewhere:
            rows.append(Row(name, health, address))
            continue
        age = process_age_s(process.pid) if process.pid else None
        rows.append(Row(name, health, address, process.pid, age, process.restarts, process.problem))
    return rows


def _health(client: Client, name: str) -> str:
    from skewline.clients.errors import SkewlineError

    service: Service = getattr(client, "market_data" if name == "marketdata" else name)
    try:
        return "SERVING" if service.within(_ANSWER_WITHIN_S).is_serving() else "NOT SERVING"
    except SkewlineError:
        return _NO_ANSWER


def _print(terminal: Terminal, stack: Stack | None, rows: list[Row]) -> None:
    from rich.text import Text

    from skewline.clients.cli.process_age import age_text, process_age_s
    from skewline.clients.cli.tables import facts, table
    from skewline.clients.cli.wording import time_text

    if stack is not None:
        terminal.show(
            facts(
                f"Stack {stack.state}",
                [
                    ("home", str(stack.home)),
                    ("supervisor", f"process {stack.pid}, up {age_text(process_age_s(stack.pid))}"),
                    ("since", time_text(stack.started_ns)),
                    ("NATS", stack.nats_url),
                    *([("problem", stack.problem)] if stack.problem else []),
                ],
            )
        )
    terminal.show(
        table(
            "",
            ["service", "health", "address", ">pid", ">up", ">restarts", "last problem"],
            [
                [
                    row.service,
                    Text(row.health, style="green" if row.health in _GOOD else "bold red"),
                    row.address,
                    str(row.pid or "–"),
                    age_text(row.uptime_seconds),
                    str(row.restarts),
                    row.problem.partition("\n")[0].partition("; end of")[0],
                ]
                for row in rows
            ],
        )
    )
