"""The course of a demo: sample, stack, replay, figures, report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console

from skewline.clients.async_client import AsyncClient
from skewline.clients.cli.own_stack import own_stack
from skewline.clients.cli.stack_watch import RestartLines, watching
from skewline.clients.demo.collecting import collect
from skewline.clients.demo.printing import print_summary, print_trace, summary_json
from skewline.clients.demo.record import RunRecord
from skewline.clients.demo.replay_choice import ReplayChoice
from skewline.clients.demo.run_home import sample_folder
from skewline.clients.demo.screen import Screen, screen_on
from skewline.clients.demo.summary import RunSummary, summarise
from skewline.clients.demo.watching import tallying
from skewline.clients.endpoints import Endpoints
from skewline.clients.options import ClientOptions
from skewline.clients.report.page import write_report
from skewline.servers.marketdata.sample.fetch import fetch_sample
from skewline.servers.runtime.settings import Settings
from skewline.servers.runtime.supervisor import Supervisor
from skewline.v1 import market_data_service_pb2

T = TypeVar("T")
_PIPE_WIDTH: Final = 160
# A source of many files is planned before StartReplay answers.
_PATIENCE: Final = ClientOptions(timeout_s=120.0)


@dataclass(frozen=True, slots=True)
class Demo:
    """What one demo does."""

    choice: ReplayChoice
    settings: Settings
    """Those of the run; its home is the run's own folder."""
    base_home: Path
    any_ports: bool
    report: Path
    keep: bool
    as_json: bool


class Interrupted(Exception):
    """The user wants it to end."""


class ReplayFailed(Exception):
    """The replay did not come to its end; the message says why."""


async def run_demo(task: Demo) -> RunSummary:
    """Do it; the stack is stopped at the end, however it ends.

    Raises Interrupted, ReplayFailed, SkewlineError, SourceError, and what the supervisor raises.
    """
    console = console_for(task.as_json)
    if task.choice.source == "sample":
        with screen_on(console) as screen:
            await asyncio.to_thread(fetch_sample, sample_folder(task.base_home), screen.say)
    async with own_stack(task.settings, console, any_ports=task.any_ports) as supervisor:
        with screen_on(console) as screen:
            record = await _unless_stopped(supervisor, _play(task, screen))
        summary = _show(task, console, record)
        if task.keep:
            console.print("The stack keeps running until Ctrl-C.")
            await supervisor.wait()
    return summary


def console_for(as_json: bool) -> Console:
    """Where people read; standard output is left alone where JSON goes there."""
    out = sys.stderr if as_json else sys.stdout
    return Console(file=out, width=None if out.isatty() else _PIPE_WIDTH)


async def _unless_stopped(supervisor: Supervisor, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, or Interrupted, or StackFailed, as soon as the stack is to stop."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(supervisor.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        stopping.cancel()
        return await working
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    await stopping
    raise Interrupted


async def _play(task: Demo, screen: Screen) -> RunRecord:
    home, choice = task.settings.home, task.choice
    async with (
        AsyncClient(Endpoints.of_running_stack(home), _PATIENCE) as client,
        watching(home, RestartLines(screen.say)),
    ):
        async with tallying(client) as tally:
            replay = await client.market_data.start_replay(
                choice.source,
                symbols=choice.symbols,
                from_date=choice.from_date,
                to_date=choice.to_date,
                speed=choice.speed,
                seed=choice.seed,
                simulated_steps=choice.steps,
                limit=choice.limit,
                request_id=f"demo {home.name}",
            )
            async for step in client.market_data.watch_replay(replay.replay_id):
                replay = step
                screen.replay(replay, tally)
        if replay.status != market_data_service_pb2.REPLAY_STATUS_COMPLETED:
            raise ReplayFailed(f"the replay did not complete: {replay.error or 'it was stopped'}")
        return await collect(client, replay)


def _show(task: Demo, console: Console, record: RunRecord) -> RunSummary:
    summary = summarise(record)
    report = write_report(record, task.report)
    home = task.settings.home
    if task.as_json:
        print(summary_json(summary, home=str(home), report=str(report), traced_fill=record.traced_fill))
        return summary
    print_summary(console, summary)
    print_trace(console, record.traced_fill, record.trace)
    lines = [
        ("decisions", f"sha256 {summary.decision_digest}"),
        ("report", str(report)),
        ("run", f"{home}; `skewline up --free-ports --home {home}` serves it again"),
    ]
    if record.traced_fill:
        lines.append(("trace", f"while it is up: skewline trace --home {home} {record.traced_fill}"))
    console.print()
    for name, text in lines:
        console.print(f"[bold]{name:<10}[/]", end="")
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    return summary
