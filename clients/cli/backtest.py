"""`skewline backtest`: the same engines over the same data in one process, without services."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import typer

from skewline.clients.cli.command import USAGE, Json, fail
from skewline.clients.cli.demo import (
    Day,
    First,
    Last,
    Limit,
    Report,
    Seed,
    Source,
    Steps,
    Symbols,
    require_writable,
)
from skewline.clients.cli.local_settings import Config, HomeFolder, Overrides, local_settings

if TYPE_CHECKING:
    from rich.console import Console

    from skewline.clients.demo.record import RunRecord
    from skewline.clients.demo.replay_choice import ReplayChoice
    from skewline.servers.runtime.settings import Settings

INTERRUPTED: Final = 128 + signal.SIGINT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backtest)


def backtest(
    context: typer.Context,
    source: Source = "sample",
    symbol: Symbols = None,
    date: Day = "",
    first: First = "",
    last: Last = "",
    seed: Seed = 0,
    steps: Steps = 0,
    limit: Limit = 0,
    home: HomeFolder = None,
    config: Config = None,
    overrides: Overrides = None,
    report: Report = None,
    json_output: Json = False,
) -> None:
    """Run the five engines in this process; the decisions are those of the services on the same data."""
    from skewline.clients.cli.demo_run import console_for
    from skewline.clients.demo.printing import print_summary, summary_json
    from skewline.clients.demo.replay_choice import ChoiceError, choose_replay
    from skewline.clients.demo.summary import summarise
    from skewline.clients.report.page import write_report
    from skewline.servers.marketdata.sources.source import SourceError
    from skewline.servers.runtime.settings import SettingsError

    try:
        choice = choose_replay(
            source, symbols=symbol or (), on=date, first=first, last=last, seed=seed, steps=steps, limit=limit
        )
    except ChoiceError as error:
        fail(str(error), USAGE)
    settings = local_settings(context, home, config, overrides or ())
    if report is not None:
        require_writable(report)
    console = console_for(json_output)
    try:
        record = _play(choice, settings, console)
        written = str(write_report(record, report)) if report is not None else ""
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except SourceError as error:
        fail(f"--source: {error}", USAGE)
    except SettingsError as error:
        fail("; ".join(str(problem) for problem in error.problems), USAGE)
    except OSError as error:
        fail(str(error))
    summary = summarise(record)
    if json_output:
        print(summary_json(summary, report=written))
        return
    print_summary(console, summary)
    console.print(f"decisions sha256 {summary.decision_digest}", highlight=False, soft_wrap=True)
    if written:
        console.print(f"report {written}", highlight=False, markup=False, soft_wrap=True)


def _play(choice: ReplayChoice, settings: Settings, console: Console) -> RunRecord:
    from skewline.clients.cli.backtest_run import InProcessRun
    from skewline.clients.demo.screen import screen_on

    with screen_on(console) as screen:
        run = InProcessRun(choice, settings, screen.say)
        for _ in run.steps():
            screen.replay(run.replay, run.tally)
        return run.record()
