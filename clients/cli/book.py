"""`skewline book`: one order book."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.text import Text

    from skewline.v1 import market_data_service_pb2 as rpc
    from skewline.v1 import order_book_pb2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(book)


@stack_command
def book(
    terminal: Terminal,
    instrument: Annotated[
        str, typer.Argument(metavar="INSTRUMENT", help="Venue and its symbol, such as binance:BTCUSDT.")
    ],
    depth: Annotated[int, typer.Option(min=1, max=5000, help="Levels of each side.")] = 10,
    as_of: Annotated[
        str, typer.Option("--as-of", help="The newest one stored at this time of the venue, ISO 8601, UTC.")
    ] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Go on with newer ones until ^C.")] = False,
) -> None:
    """Depth, best prices, imbalance and microprice of an instrument, and how its feed does."""
    from skewline.clients.cli.choices import instant_of
    from skewline.clients.errors import bad_input

    time = instant_of("--as-of", as_of)
    if watch and time:
        raise bad_input("--watch", "goes on from now: leave out --as-of")
    if watch:
        _follow(terminal, instrument, depth)
        return
    answer = terminal.client.market_data.get_order_book(instrument, depth=depth, as_of=time)
    if terminal.as_json:
        terminal.json(answer)
        return
    _show(terminal, answer.order_book, depth, answer)


def _follow(terminal: Terminal, instrument: str, depth: int) -> None:
    from skewline.clients.cli.stream_lines import json_of, line_of
    from skewline.clients.questions import Update

    try:
        with closing(terminal.client.market_data.stream_order_books([instrument])) as items:
            for item in items:
                if terminal.as_json:
                    terminal.json(json_of(item))
                elif isinstance(item, Update):
                    _show(terminal, item.content, depth)
                else:
                    terminal.show(line_of(item))
    except KeyboardInterrupt:
        return  # the way to end it


def _show(
    terminal: Terminal,
    found: order_book_pb2.OrderBook,
    depth: int,
    answer: rpc.GetOrderBookResponse | None = None,
) -> None:
    from skewline.clients.cli.tables import facts, table
    from skewline.clients.cli.wording import NONE, number, plain_number, provenance, time_text, word
    from skewline.v1 import feed_pb2

    pairs: list[tuple[str, str | Text]] = [
        ("time", time_text(found.time_ns)),
        ("provenance", provenance(found.provenance)),
        ("best", f"{plain_number(found.best_bid)} / {plain_number(found.best_ask)}"),
        ("mid", plain_number(found.mid)),
        ("microprice", number(found.microprice, 4)),
        ("imbalance", f"{number(found.imbalance, 3)} at the best, {number(found.depth_imbalance, 3)} in all"),
        ("update", str(found.update_id)),
    ]
    if answer is not None:
        state = word(feed_pb2.FeedState, answer.feed_state).upper()
        pairs.append(("feed", f"{state} {answer.feed_reason}".rstrip()))
    if found.crossed or not found.complete:
        kind = "crossed" if found.crossed else "not complete: the venue told of fewer levels"
        pairs.append(("caution", kind))
    terminal.show(facts(f"{found.instrument_id} order book", pairs))
    sides = (found.bid_quantity, found.bid_price, found.ask_price, found.ask_quantity)
    rows = min(depth, max(len(found.bid_price), len(found.ask_price)))
    shown = [[plain_number(each[i]) if i < len(each) else NONE for each in sides] for i in range(rows)]
    terminal.show(table("", [">size", ">bid", ">ask", ">size"], shown))
