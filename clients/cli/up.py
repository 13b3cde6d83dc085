"""`skewline up`: the whole stack on this machine, until it is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import fail
from skewline.clients.cli.local_settings import Config, HomeFolder, Overrides, local_settings

if TYPE_CHECKING:
    from rich.console import Console

    from skewline.servers.runtime.settings import Settings
    from skewline.servers.runtime.stack_file import StackState


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    context: typer.Context,
    home: HomeFolder = None,
    config: Config = None,
    overrides: Overrides = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Take free ports instead of those that are set.")
    ] = False,
    calibration: Annotated[
        int | None,
        typer.Option("--calibration", metavar="N", help="Calibration processes that share the chains."),
    ] = None,
) -> None:
    """Run nats-server and the five services until Ctrl-C or SIGTERM."""
    from skewline.servers.runtime.nats_server import NatsServerError
    from skewline.servers.runtime.supervisor import HomeInUse, StackFailed, StartFailed

    shared = [] if calibration is None else [f"calibration.processes={calibration}"]
    settings = local_settings(context, home, config, [*(overrides or ()), *shared])
    try:
        asyncio.run(_run(settings, free_ports))
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("interrupted while starting; what had started is stopped")
    except (StartFailed, StackFailed) as error:
        fail(f"{error}; logs are in {settings.home / 'logs'}")
    except (NatsServerError, HomeInUse, OSError) as error:
        fail(str(error))


async def _run(settings: Settings, any_ports: bool) -> None:
    from skewline.clients.cli.demo_run import console_for
    from skewline.clients.cli.own_stack import own_stack
    from skewline.clients.cli.stack_watch import RestartLines, watching

    console = console_for(as_json=False)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    async with own_stack(settings, console, any_ports=any_ports) as supervisor:
        _show(console, settings.home, supervisor.state)
        async with watching(settings.home, RestartLines(say)):
            await supervisor.wait()
        say("stopping …")
    say("stopped")


def _show(console: Console, home: Path, state: StackState) -> None:
    from skewline.clients.cli.tables import table

    rows = [
        [name, process.state, process.address, process.metrics or "–", str(process.pid)]
        for name, process in state.processes.items()
    ]
    console.print(table("", ["process", "health", "address", "metrics", ">pid"], rows))
    at = "" if home == Path.home() / ".skewline" else f" --home {home}"
    address = state.processes["marketdata"].address
    for name, text in (
        ("home", str(home)),
        ("logs", f"{home / 'logs'}/*.log"),
        ("look", f"skewline status{at}; skewline watch surfaces{at}"),
        ("call", f"grpcurl -plaintext {address} list"),
        ("", f"buf curl --http2-prior-knowledge --list-methods http://{address}"),
        ("stop", "Ctrl-C"),
    ):
        console.print(f"[bold]{name:<6}[/]", end="")
        console.print(text, markup=False, highlight=False, soft_wrap=True)
