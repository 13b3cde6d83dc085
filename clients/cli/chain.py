"""`skewline chain`: one option chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.table import Table

    from skewline.v1 import chain_pb2

_EACH_SIDE: Final = 8


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(chain)


@stack_command
def chain(
    terminal: Terminal,
    underlying: Annotated[str, typer.Argument(help="Such as SPX; empty with --snapshot.")] = "",
    expiry: Annotated[str, typer.Option(help="Only this expiry, YYYY-MM-DD.")] = "",
    all_strikes: Annotated[bool, typer.Option("--all", help="All strikes, and all expiries.")] = False,
    snapshot: Annotated[str, typer.Option(help="The snapshot with this id.")] = "",
) -> None:
    """The newest chain of an underlying: summary, and the quotes around the money of the first expiry."""
    response = terminal.client.market_data.get_chain(underlying, snapshot_id=snapshot)
    if terminal.as_json:
        terminal.json(response)
        return
    from skewline.clients.errors import bad_input

    found = response.chain
    wanted = [i for i, listed in enumerate(found.expiries) if expiry in ("", listed.expiry_date)]
    if not wanted and expiry:
        dates = ", ".join(dict.fromkeys(listed.expiry_date for listed in found.expiries))
        raise bad_input("--expiry", f"{expiry} is none of this chain: {dates}")
    _summarise(terminal, response.chain, response.summary)
    for index in wanted if all_strikes or expiry else wanted[:1]:
        terminal.show(_quotes(found, index, None if all_strikes else _EACH_SIDE))


def _summarise(terminal: Terminal, found: chain_pb2.OptionChain, summary: chain_pb2.ChainSummary) -> None:
    from skewline.clients.cli.tables import facts
    from skewline.clients.cli.wording import NONE, number, provenance, time_text, word
    from skewline.v1 import chain_pb2

    status = word(chain_pb2.ChainStatus, summary.status)
    reasons = ", ".join(f"{count.reason} {count.count}" for count in summary.rejected)
    expiries = [f"{e.expiry_date} {e.root}" for e in found.expiries]
    terminal.show(
        facts(
            f"{found.underlying} chain",
            [
                ("time", time_text(found.time_ns)),
                ("source", found.source),
                ("provenance", provenance(found.provenance)),
                ("status", f"{status} {summary.reason} {summary.detail}".rstrip()),
                ("spot", f"{number(found.spot)} {found.currency}"),
                ("contracts", f"{len(found.strike)} kept; set aside: {reasons or 'none'}"),
                ("expiries", f"{len(expiries)}: {', '.join(expiries)}" if expiries else NONE),
                ("snapshot", found.snapshot_id),
            ],
        )
    )


def _quotes(found: chain_pb2.OptionChain, index: int, each_side: int | None) -> Table:
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import plain_number, word
    from skewline.v1 import instrument_pb2

    sides: dict[float, dict[bool, int]] = {}
    for i, of in enumerate(found.expiry_index):
        if of == index:
            sides.setdefault(found.strike[i], {})[found.is_call[i]] = i
    strikes = sorted(sides)
    if each_side is not None:
        middle = sum(strike < found.spot for strike in strikes)
        strikes = strikes[max(0, middle - each_side) : middle + each_side]
    listed = found.expiries[index]
    settlement = word(instrument_pb2.SettlementStyle, listed.settlement).upper()
    return table(
        f"{listed.root} {listed.expiry_date} ({settlement}-settled)",
        [">call size", ">bid", ">ask", ">size", ">strike", ">put size", ">bid", ">ask", ">size"],
        [
            [
                *_side(found, sides[strike].get(True)),
                plain_number(strike),
                *_side(found, sides[strike].get(False)),
            ]
            for strike in strikes
        ],
    )


def _side(found: chain_pb2.OptionChain, i: int | None) -> list[str]:
    from skewline.clients.cli.wording import NONE, plain_number

    if i is None:
        return [NONE] * 4
    sizes = [plain_number(column[i]) if column else NONE for column in (found.bid_size, found.ask_size)]
    return [sizes[0], plain_number(found.bid[i]), plain_number(found.ask[i]), sizes[1]]
