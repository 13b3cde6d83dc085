"""`skewline data export`: stored chains of a running stack into files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skewline.clients.cli.command import fail, stack_command
from skewline.clients.cli.terminal import Terminal


@stack_command
def export(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the files go.")],
    since: Annotated[
        str, typer.Option("--from", help="Data time from, such as 2019-05-10T19:00 (UTC).")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Data time before.")] = "",
) -> None:
    """Write accepted chains to Parquet, a file a day, which `--source parquet:FOLDER` replays."""
    from skewline.clients.cli.choices import instant_of
    from skewline.servers.marketdata.collecting.archive import ChainArchive
    from skewline.v1 import chain_pb2

    first, end = instant_of("--from", since), instant_of("--to", until)
    market_data = terminal.client.market_data
    listed = [
        summary.snapshot_id
        for summary in market_data.list_chains(
            underlying=underlying, status=chain_pb2.CHAIN_STATUS_ACCEPTED, since=first, until=end
        )
    ]
    if not listed:
        fail(f"no chain of {underlying} is stored in that time; `skewline status` says what there is")
    files: dict[Path, int] = {}
    try:
        archive = ChainArchive(out.expanduser())
        # Listed newest first; files are in the order of the data.
        for snapshot_id in reversed(listed):
            file = archive.add(market_data.get_chain(snapshot_id=snapshot_id).chain)
            files[file] = files.get(file, 0) + 1
        archive.join()
    except OSError as error:
        fail(f"--out: {error}")
    if terminal.as_json:
        terminal.json({"files": [{"file": str(file), "chains": count} for file, count in files.items()]})
        return
    from skewline.clients.cli.tables import table

    rows = [[str(file), f"{count:,}"] for file, count in files.items()]
    terminal.show(table(f"Chains of {underlying}", ["file", ">chains"], rows))
