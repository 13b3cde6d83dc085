"""`skewline fills`, `positions` and `pnl`: what was traded, is held, and came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

Underlying = Annotated[str, typer.Option(help="Only of this underlying.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (fills, positions, pnl):
        app.command()(command)


@stack_command
def fills(
    terminal: Terminal,
    underlying: Underlying = "",
    order: Annotated[str, typer.Option(help="Only of the order with this id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """Fills, newest first; `skewline trace FILL` shows the quote behind one."""
    found = terminal.client.order.list_fills(underlying=underlying, order_id=order, limit=limit)
    if terminal.as_json:
        terminal.json_lines(found)
    else:
        from skewline.clients.cli.order_tables import fills_table

        terminal.show(fills_table(found))


@stack_command
def positions(
    terminal: Terminal,
    underlying: Underlying = "",
    closed: Annotated[bool, typer.Option("--closed", help="Also what is held no more.")] = False,
) -> None:
    """Positions, marked at the newest quotes."""
    found = terminal.client.order.list_positions(underlying=underlying, include_closed=closed)
    if terminal.as_json:
        terminal.json_lines(found)
    else:
        from skewline.clients.cli.order_tables import positions_table

        terminal.show(positions_table(found))


@stack_command
def pnl(
    terminal: Terminal,
    history: Annotated[bool, typer.Option("--history", help="After each order batch, oldest first.")] = False,
) -> None:
    """Profit and loss, one line a currency."""
    service = terminal.client.order
    found = service.list_pnl() if history else service.get_pnl()
    if terminal.as_json:
        terminal.json_lines(found)
        return
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import money, provenance, time_text

    terminal.show(
        table(
            "Profit and loss",
            ["time", ">realised", ">unrealised", ">fees", ">net", "currency", "provenance"],
            [
                [
                    time_text(point.time_ns),
                    money(point.realised),
                    money(point.unrealised),
                    money(point.fees),
                    money(point.net),
                    point.currency,
                    provenance(point.provenance),
                ]
                for point in found
            ],
        )
    )
