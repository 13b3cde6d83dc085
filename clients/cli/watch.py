"""`skewline watch`: live streams until ^C."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from skewline.clients.client import Client


class Stream(StrEnum):
    """What can be watched."""

    feeds = "feeds"
    chains = "chains"
    books = "books"
    trades = "trades"
    surfaces = "surfaces"
    signals = "signals"
    orders = "orders"
    portfolio = "portfolio"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


@stack_command
def watch(
    terminal: Terminal,
    stream: Annotated[Stream, typer.Argument(help="What to watch.")],
    underlying: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many items.")] = None,
    resume_after: Annotated[int, typer.Option(min=0, help="Go on after this sequence number.")] = 0,
) -> None:
    """What is current, then what is new, until ^C; reconnects and resumes by itself."""
    from skewline.clients.cli.stream_lines import json_of, line_of

    items = _opened(terminal.client, stream)(underlying or (), resume_after=resume_after)
    try:
        with closing(items):
            for item in islice(items, count):
                if terminal.as_json:
                    terminal.json(json_of(item))
                else:
                    terminal.show(line_of(item))
    except KeyboardInterrupt:
        return  # the way to end it


def _opened(client: Client, stream: Stream) -> Callable[..., Generator[Any, None, None]]:
    streams: dict[Stream, Callable[[], Callable[..., Generator[Any, None, None]]]] = {
        Stream.feeds: lambda: client.market_data.stream_feeds,
        Stream.chains: lambda: client.market_data.stream_chains,
        Stream.books: lambda: client.market_data.stream_order_books,
        Stream.trades: lambda: client.market_data.stream_trades,
        Stream.surfaces: lambda: client.calibration.stream_surfaces,
        Stream.signals: lambda: client.signal.stream_signals,
        Stream.orders: lambda: client.order.stream_orders,
        Stream.portfolio: lambda: client.risk.stream_portfolio,
    }
    return streams[stream]()
