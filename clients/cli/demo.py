"""`skewline demo`: real chains through a stack of its own, from quote to fill, with a report."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import REFUSED, UNREACHABLE, USAGE, Json, fail
from skewline.clients.cli.local_settings import Config, HomeFolder, Overrides, local_settings, settings_at

if TYPE_CHECKING:
    from skewline.clients.cli.demo_run import Demo

INTERRUPTED: Final = 128 + signal.SIGINT

Source = Annotated[
    str,
    typer.Option(
        "--source", metavar="SOURCE", help="sample, cboe:FOLDER, lean:FOLDER, csv:PATH or parquet:PATH."
    ),
]
Symbols = Annotated[
    list[str] | None, typer.Option("--symbol", help="An underlying; may be repeated. Default: all there are.")
]
Day = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="One day only.")]
First = Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")]
Last = Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")]
Speed = Annotated[float, typer.Option("--speed", help="Data seconds a second; 0: as fast as can be.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of what is simulated.")]
Steps = Annotated[
    int, typer.Option("--steps", help="Simulated snapshots after each real one; 0: as the source.")
]
Limit = Annotated[int, typer.Option("--limit", help="No more snapshots than this; 0: all.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Where the HTML report goes.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    context: typer.Context,
    source: Source = "sample",
    symbol: Symbols = None,
    date: Day = "",
    first: First = "",
    last: Last = "",
    speed: Speed = 0.0,
    seed: Seed = 0,
    steps: Steps = 0,
    limit: Limit = 0,
    home: HomeFolder = None,
    config: Config = None,
    overrides: Overrides = None,
    otlp: Annotated[str, typer.Option("--otlp", metavar="URL", help="OTLP receiver of the traces.")] = "",
    report: Report = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running until Ctrl-C.")] = False,
    json_output: Json = False,
) -> None:
    """Feed option chains through the five services and show what came of it, from quote to fill."""
    from skewline.clients.cli.demo_run import Demo
    from skewline.clients.demo.replay_choice import ChoiceError, choose_replay
    from skewline.clients.demo.run_home import new_run_home

    try:
        choice = choose_replay(
            source, symbols=symbol or (), on=date, first=first, last=last, speed=speed, seed=seed,
            steps=steps, limit=limit,
        )  # fmt: skip
    except ChoiceError as error:
        fail(str(error), USAGE)
    given = [*(overrides or ()), *([f"telemetry.otlp_endpoint={otlp}"] if otlp else [])]
    base = local_settings(context, home, config, given)
    if report is not None:
        require_writable(report)
    try:
        run = new_run_home(base.home)
    except OSError as error:
        fail(f"--home: {base.home} cannot be written ({error}); name another folder", USAGE)
    _finish(
        Demo(
            choice=choice,
            settings=settings_at(run, base, config, given),
            base_home=base.home,
            any_ports=not any(text.startswith("network.ports.") for text in given),
            report=report or run / "report.html",
            keep=keep,
            as_json=json_output,
        )
    )


def _finish(task: Demo) -> None:
    """Run it; what goes wrong becomes one line and an exit status."""
    from skewline.clients.cli.demo_run import Interrupted, ReplayFailed, run_demo
    from skewline.clients.errors import SkewlineError, Unreachable
    from skewline.servers.marketdata.sources.source import SourceError
    from skewline.servers.runtime.nats_server import NatsServerError
    from skewline.servers.runtime.supervisor import HomeInUse, StackFailed, StartFailed

    try:
        summary = asyncio.run(run_demo(task))
    except (KeyboardInterrupt, asyncio.CancelledError, Interrupted):
        fail("interrupted; the stack is stopped", INTERRUPTED)
    except SourceError as error:
        fail(f"--source: {error}", USAGE)
    except Unreachable as error:
        fail(str(error), UNREACHABLE)
    except SkewlineError as error:
        fail(_option_named(error), USAGE if error.violations else REFUSED)
    except (StartFailed, StackFailed, NatsServerError, HomeInUse, ReplayFailed, OSError) as error:
        fail(f"{error}; logs are in {task.settings.home / 'logs'}")
    if not summary.fills and task.choice.source == "sample" and not task.choice.limit:
        fail("no fill came of the sample: see orders and risk checks above, and the report")


def _option_named(error: Exception) -> str:
    """The service names the request's field; the user knows the option."""
    text = str(error).removeprefix("marketdata: ")
    return f"--{text}" if text.startswith("source:") else str(error)


def require_writable(report: Path) -> None:
    """End the command now rather than after the run, when the report could not be written to this path."""
    folder = report.expanduser().absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--report: {folder} cannot be made ({error.strerror}); name another path", USAGE)
    if report.is_dir() or not os.access(folder, os.W_OK):
        what = "is a folder" if report.is_dir() else "cannot be written"
        fail(f"--report: {report} {what}; name a file in a folder of yours", USAGE)
