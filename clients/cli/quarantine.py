"""`skewline quarantine`: what MarketData did not let through, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import quarantine_pb2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(quarantine)


@stack_command
def quarantine(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Only of this underlying.")] = "",
    reason: Annotated[str, typer.Option(help="Only for this reason, such as CROSSED.")] = "",
    counts: Annotated[
        bool, typer.Option("--counts", help="Only how much, by underlying and reason.")
    ] = False,
    entry: Annotated[str, typer.Option(help="One entry with its content, by its id; as JSON.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """What was rejected or set aside, newest first, and why."""
    service = terminal.client.market_data
    if entry:
        terminal.json(service.get_quarantine_entry(entry))
    elif counts:
        counted = service.list_quarantine_counts(underlying=underlying, reason=reason, limit=limit)
        if terminal.as_json:
            terminal.json_lines(counted)
        else:
            _show_counts(terminal, list(counted))
    else:
        entries = service.list_quarantine(underlying=underlying, reason=reason, limit=limit)
        if terminal.as_json:
            terminal.json_lines(entries)
        else:
            _show_entries(terminal, list(entries))


def _show_counts(terminal: Terminal, counted: list[quarantine_pb2.QuarantineCount]) -> None:
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import word
    from skewline.v1 import quarantine_pb2

    rows = [
        [
            each.underlying,
            each.reason,
            word(quarantine_pb2.QuarantineKind, each.kind),
            f"{each.entries:,}",
            f"{each.contracts:,}",
        ]
        for each in counted
    ]
    terminal.show(table("Quarantine", ["underlying", "reason", "what", ">entries", ">contracts"], rows))


def _show_entries(terminal: Terminal, entries: list[quarantine_pb2.QuarantineEntry]) -> None:
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import time_text, word
    from skewline.v1 import quarantine_pb2

    rows = [
        [
            time_text(each.time_ns),
            each.underlying,
            word(quarantine_pb2.QuarantineKind, each.kind),
            each.reason,
            f"{each.contracts:,}",
            each.source,
            each.entry_id,
        ]
        for each in entries
    ]
    headings = ["time", "underlying", "what", "reason", ">contracts", "source", "entry"]
    terminal.show(table("Quarantine", headings, rows))
