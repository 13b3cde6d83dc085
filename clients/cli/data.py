"""`skewline data`: market data that anyone may have, brought onto this machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from skewline.clients.cli.command import Json, fail, stack_command
from skewline.clients.cli.data_bars import bars
from skewline.clients.cli.data_export import export
from skewline.clients.cli.local_settings import Config, HomeFolder, Overrides, local_settings
from skewline.clients.cli.terminal import Terminal

_PROVENANCE: Final = "provenance.json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(no_args_is_help=True, help="Market data on this machine.")
    data.command()(sample)
    data.command()(prune)
    data.command()(bars)
    data.command()(export)
    app.add_typer(data, name="data")


@stack_command
def prune(
    terminal: Terminal,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Delete what the settings marketdata.keep_…_days do not keep: snapshots, quarantine, books, trades."""
    found = terminal.client.market_data.apply_retention(dry_run=dry_run)
    if terminal.as_json:
        terminal.json_lines([*found.expired, *found.records])
        return
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import NONE, time_text, word
    from skewline.v1 import chain_pb2
    from skewline.v1 import market_data_service_pb2 as rpc

    def row(name: str, count: int, each: rpc.ExpiredChains | rpc.ExpiredRecords) -> list[str]:
        times = (time_text(ns) if ns else NONE for ns in (each.oldest_ns, each.newest_ns))
        return [name, f"{each.keep_days:g}", f"{count}", *times]

    chains = [
        [*row(word(chain_pb2.ChainStatus, each.status), each.snapshots, each), f"{each.quarantined}"]
        for each in found.expired
    ]
    records = [row(each.kind, each.records, each) for each in found.records]
    ending = "that would go" if dry_run else "deleted"
    if chains:
        columns = ["status", ">days kept", ">snapshots", "oldest", "newest", ">quarantined"]
        terminal.show(table(f"Snapshots {ending}", columns, chains))
    if records:
        columns = ["kind", ">days kept", ">records", "oldest", "newest"]
        terminal.show(table(f"Records {ending}", columns, records))
    if not (chains or records):
        terminal.show("No age is set: everything is kept.")


def sample(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where it goes.", show_default="<home>/data/sample")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch it again.")] = False,
    home: HomeFolder = None,
    config: Config = None,
    overrides: Overrides = None,
    json_output: Json = False,
) -> None:
    """Fetch real option chains and index closes out of public packages, once, and check their hashes."""
    from skewline.clients.cli.demo_run import console_for
    from skewline.clients.demo.run_home import sample_folder
    from skewline.clients.demo.screen import screen_on
    from skewline.servers.marketdata.sources.source import SourceError

    if folder is None:
        folder = sample_folder(local_settings(context, home, config, overrides or ()).home)
    folder = folder.expanduser().absolute()
    console = console_for(json_output)
    try:
        with screen_on(console) as screen:
            _fetch(folder, screen.say, force=force)
        files: dict[str, dict[str, str]] = json.loads((folder / _PROVENANCE).read_text(encoding="utf-8"))
    except (SourceError, OSError) as error:
        fail(str(error))
    if json_output:
        print(json.dumps({"folder": str(folder), "files": files}))
        return
    from skewline.clients.cli.tables import table

    rows = [
        [
            name,
            f"{origin['package']} {origin['version']}",
            origin["member"],
            origin["wheel_sha256"],
        ]
        for name, origin in files.items()
    ]
    console.print(table("", ["file", "package", "out of", "wheel's sha256"], rows))
    for name, origin in files.items():
        console.print(f"{name}: {origin['derived']}", markup=False, highlight=False)


def _fetch(folder: Path, say: Callable[[str], None], *, force: bool) -> None:
    from skewline.servers.marketdata.sample.fetch import fetch_sample

    if not force or not folder.exists():
        fetch_sample(folder, say)
        return
    # What is there stays until the new files are whole.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".again-") as scratch:
        fetched = fetch_sample(Path(scratch), say)
        for file in sorted(fetched.iterdir(), key=lambda path: path.name == _PROVENANCE):
            file.replace(folder / file.name)
