"""`skewline feeds`: live feeds, and how they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import feed_pb2

Name = Annotated[str, typer.Argument(metavar="FEED", help="Venue and its symbol, such as cboe:SPX.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(feeds)
    group.command()(start)
    group.command()(stop)
    app.add_typer(group, name="feeds")


@stack_command
def feeds(terminal: Terminal) -> None:
    """The live feeds that run, their state and its reason; `skewline watch feeds` follows them."""
    _show(terminal, list(terminal.client.market_data.list_feeds()))


@stack_command
def start(terminal: Terminal, feed: Name) -> None:
    """Start a live feed; it runs until it is stopped, also over restarts."""
    _show(terminal, [terminal.client.market_data.start_feed(feed)])


@stack_command
def stop(terminal: Terminal, feed: Name) -> None:
    """Stop a live feed; one from the settings begins again with the service."""
    _show(terminal, [terminal.client.market_data.stop_feed(feed)])


def _show(terminal: Terminal, found: Sequence[feed_pb2.Feed]) -> None:
    if terminal.as_json:
        terminal.json_lines(found)
        return
    from skewline.clients.cli.feed_words import reason_text, state_text
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.wording import provenance, time_text

    columns = ["feed", "state", "since", "data", "newest data", ">accepted", ">rejected", ">gaps"]
    terminal.show(
        table(
            "Feeds",
            [*columns, ">connections", "from", "reason"],
            [
                [
                    feed.feed,
                    state_text(feed),
                    time_text(feed.since_ns),
                    provenance(feed.provenance),
                    time_text(feed.data_time_ns),
                    str(feed.accepted),
                    str(feed.rejected),
                    str(feed.gaps),
                    str(feed.connections),
                    "settings" if feed.from_settings else "request",
                    reason_text(feed),
                ]
                for feed in found
            ],
        )
    )
