"""`skewline orders`: what was ordered, and manual orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import REFUSED, stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import order_pb2

_NOT_CARRIED_OUT: Final = ("denied", "rejected")
OrderId = Annotated[str, typer.Argument(metavar="ID", help="An order's id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(orders)
    for command in (show, submit, cancel, replace):
        group.command()(command)
    app.add_typer(group, name="orders")


@stack_command
def orders(
    terminal: Terminal,
    underlying: Annotated[str, typer.Option(help="Only of this underlying.")] = "",
    status: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    signal: Annotated[str, typer.Option(help="Only from the signal with this id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """Orders, newest first."""
    from skewline.clients.cli.choices import value_of
    from skewline.v1 import order_pb2

    statuses = [value_of(order_pb2.OrderStatus, "--status", text) for text in status or ()]
    found = terminal.client.order.list_orders(
        underlying=underlying, statuses=statuses, signal_id=signal, limit=limit
    )
    if terminal.as_json:
        terminal.json_lines(found)
    else:
        from skewline.clients.cli.order_tables import orders_table

        terminal.show(orders_table(found))


@stack_command
def show(terminal: Terminal, order_id: OrderId) -> None:
    """One order with its history and fills."""
    response = terminal.client.order.get_order(order_id)
    if terminal.as_json:
        terminal.json(response)
        return
    from skewline.clients.cli.order_tables import fills_table, history_table, orders_table

    terminal.show(orders_table([response.order]), history_table(response.events), fills_table(response.fills))


@stack_command
def submit(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX.")],
    leg: Annotated[
        list[str], typer.Option(metavar="'SIDE RATIO INSTRUMENT'", help="A leg; repeat for more.")
    ],
    quantity: Annotated[str, typer.Option(help="Units of the structure, a whole number.")] = "1",
    limit: Annotated[
        str | None, typer.Option(help="Net price of one unit per unit of underlying; negative receives.")
    ] = None,
    market: Annotated[bool, typer.Option("--market", help="At the quotes, in place of --limit.")] = False,
    time_in_force: Annotated[str, typer.Option("--time-in-force", help="day, gtc or ioc.")] = "day",
    request_id: Annotated[str, typer.Option(help="Repeat it to submit once only.")] = "",
) -> None:
    """Submit an order through the risk checks. Exit status 1 if it is denied."""
    from skewline.clients.cli.choices import value_of
    from skewline.clients.cli.legs import leg_of
    from skewline.clients.errors import bad_input
    from skewline.v1 import order_pb2

    if market == (limit is not None):
        raise bad_input("--limit", "give a limit price, or --market, and not both")
    order = terminal.client.order.submit_order(
        underlying,
        [leg_of(text) for text in leg],
        quantity=quantity,
        limit_price=limit,
        time_in_force=value_of(order_pb2.TimeInForce, "--time-in-force", time_in_force),
        request_id=request_id,
    )
    _done(terminal, order)


@stack_command
def cancel(
    terminal: Terminal,
    order_id: OrderId,
    request_id: Annotated[str, typer.Option(help="Repeat it to cancel once only.")] = "",
) -> None:
    """Cancel an order."""
    _done(terminal, terminal.client.order.cancel_order(order_id, request_id=request_id))


@stack_command
def replace(
    terminal: Terminal,
    order_id: OrderId,
    limit: Annotated[str | None, typer.Option(help="New net limit price of one unit.")] = None,
    quantity: Annotated[str | None, typer.Option(help="New quantity, not below what is filled.")] = None,
    request_id: Annotated[str, typer.Option(help="Repeat it to replace once only.")] = "",
) -> None:
    """Change limit price or quantity of a working order."""
    from skewline.clients.errors import bad_input

    if limit is None and quantity is None:
        raise bad_input("--limit", "give a new --limit, a new --quantity, or both")
    order = terminal.client.order.replace_order(
        order_id, limit_price=limit, quantity=quantity, request_id=request_id
    )
    _done(terminal, order)


def _done(terminal: Terminal, order: order_pb2.Order) -> None:
    from skewline.clients.cli.wording import word
    from skewline.v1 import order_pb2

    if terminal.as_json:
        terminal.json(order)
    else:
        from skewline.clients.cli.order_tables import orders_table

        terminal.show(orders_table([order]))
    if word(order_pb2.OrderStatus, order.status) in _NOT_CARRIED_OUT:
        raise typer.Exit(REFUSED)
