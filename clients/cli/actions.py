"""`skewline actions` and `adjustments`: splits, dividends and symbol changes, and what they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import corporate_action_pb2

Underlying = Annotated[str, typer.Option(help="Only of this underlying.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (actions, adjustments):
        app.command()(command)


@stack_command
def actions(terminal: Terminal, underlying: Underlying = "") -> None:
    """Corporate actions known, by effect, oldest first."""
    found = terminal.client.market_data.list_corporate_actions(underlying=underlying)
    if terminal.as_json:
        terminal.json_lines(found)
        return
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import word
    from skewline.v1 import corporate_action_pb2

    terminal.show(
        table(
            "Corporate actions",
            ["ex-date", "underlying", "kind", ">terms", "source"],
            [
                [
                    action.ex_date,
                    action.underlying,
                    word(corporate_action_pb2.CorporateActionKind, action.kind),
                    _terms(action),
                    action.source,
                ]
                for action in found
            ],
        )
    )


@stack_command
def adjustments(
    terminal: Terminal,
    underlying: Underlying = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> None:
    """What corporate actions changed of positions, newest first."""
    found = terminal.client.order.list_adjustments(underlying=underlying, limit=limit)
    if terminal.as_json:
        terminal.json_lines(found)
        return
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import money, quantity, time_text

    terminal.show(
        table(
            "Adjustments",
            ["time", "from", ">contracts", "to", ">contracts", ">multiplier", ">cost", "", "reason"],
            [
                [
                    time_text(each.time_ns),
                    each.from_instrument_id,
                    quantity(each.from_quantity),
                    each.to_instrument_id,
                    quantity(each.to_quantity),
                    quantity(each.to_multiplier),
                    money(each.cost),
                    each.currency,
                    each.reason,
                ]
                for each in found
            ],
        )
    )


def _terms(action: corporate_action_pb2.CorporateAction) -> str:
    from skewline.clients.cli.wording import money

    if action.new_units:
        return f"{action.new_units} for {action.old_units}"
    return action.new_symbol or money(action.amount, action.currency)
