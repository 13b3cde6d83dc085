"""`skewline actions` and `adjustments`: splits, dividends and symbol changes, and what they changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import corporate_action_pb2

Underlying = Annotated[str, typer.Option(help="Only of this underlying.")]
Symbol = Annotated[str, typer.Argument(metavar="UNDERLYING", help="Its symbol before it.")]
ExDate = Annotated[str, typer.Argument(metavar="EX_DATE", help="First day without it, YYYY-MM-DD.")]

_RATIO = re.compile(r"(\d{1,9}):(\d{1,9})")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(actions)
    for command in (split, dividend, rename):
        group.command()(command)
    app.add_typer(group, name="actions")
    app.command()(adjustments)


@stack_command
def actions(terminal: Terminal, underlying: Underlying = "") -> None:
    """Corporate actions known, oldest first; live feeds bring none: tell them by the commands below."""
    found = terminal.client.market_data.list_corporate_actions(underlying=underlying)
    if terminal.as_json:
        terminal.json_lines(found)
        return
    _show(terminal, "Corporate actions", found)


@stack_command
def split(
    terminal: Terminal,
    underlying: Symbol,
    ex_date: ExDate,
    ratio: Annotated[str, typer.Argument(metavar="NEW:OLD", help="Units after for units before, as 7:1.")],
) -> None:
    """Make a split known, before its ex-date: holdings are adjusted at the first snapshot after it."""
    from skewline.clients.errors import bad_input

    units = _RATIO.fullmatch(ratio)
    if units is None:
        raise bad_input("NEW:OLD", f"must be two whole numbers such as 7:1, not {ratio!r}")
    _record(terminal, "SPLIT", underlying, ex_date, new_units=int(units[1]), old_units=int(units[2]))


@stack_command
def dividend(
    terminal: Terminal,
    underlying: Symbol,
    ex_date: ExDate,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="A unit of underlying, before tax.")],
    currency: Annotated[str, typer.Option(help="Currency of the amount.")] = "USD",
) -> None:
    """Make an ordinary cash dividend known; it adjusts no contract."""
    from skewline.clients.values import exact

    _record(terminal, "CASH_DIVIDEND", underlying, ex_date, amount=exact("amount", amount), currency=currency)


@stack_command
def rename(
    terminal: Terminal,
    underlying: Symbol,
    ex_date: ExDate,
    new_symbol: Annotated[str, typer.Argument(metavar="NEW_SYMBOL", help="Its symbol from then on.")],
) -> None:
    """Make a change of symbol known, before its ex-date."""
    _record(terminal, "SYMBOL_CHANGE", underlying, ex_date, new_symbol=new_symbol)


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


def _record(terminal: Terminal, kind: str, underlying: str, ex_date: str, **terms: object) -> None:
    from skewline.v1 import corporate_action_pb2

    action = corporate_action_pb2.CorporateAction(
        kind=corporate_action_pb2.CorporateActionKind.Value(f"CORPORATE_ACTION_KIND_{kind}"),
        underlying=underlying,
        ex_date=ex_date,
        source="command line",
    )
    action.MergeFrom(corporate_action_pb2.CorporateAction(**terms))  # type: ignore[arg-type]
    answer = terminal.client.market_data.record_corporate_actions([action])
    if terminal.as_json:
        terminal.json(answer)
        return
    if answer.recorded:
        _show(terminal, "Recorded", answer.recorded)
    else:
        terminal.show("It was known already; terms count as first told once it is in effect.")
    if answer.late:
        terminal.show("Too late for what is held: a snapshot after it came before it was known.")


def _show(terminal: Terminal, title: str, found: Iterable[corporate_action_pb2.CorporateAction]) -> None:
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import word
    from skewline.v1 import corporate_action_pb2

    rows = [
        [
            action.ex_date,
            action.underlying,
            word(corporate_action_pb2.CorporateActionKind, action.kind),
            _terms(action),
            action.source,
        ]
        for action in found
    ]
    terminal.show(table(title, ["ex-date", "underlying", "kind", ">terms", "source"], rows))


def _terms(action: corporate_action_pb2.CorporateAction) -> str:
    from skewline.clients.cli.wording import money

    if action.new_units:
        return f"{action.new_units} for {action.old_units}"
    return action.new_symbol or money(action.amount, action.currency)
