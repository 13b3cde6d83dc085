"""`skewline collect`: chains of live feeds into files, without a stack."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import REFUSED, USAGE, Json, fail
from skewline.clients.cli.local_settings import Config, HomeFolder, Overrides, local_settings

if TYPE_CHECKING:
    from skewline.servers.marketdata.collecting.collector import Collector, Say

_EVERY: Final = re.compile(r"(\d{1,6})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(collect)


def collect(
    context: typer.Context,
    feeds: Annotated[str, typer.Argument(metavar="FEEDS", help="Such as cboe:SPX,yahoo:AAPL.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the files go.")],
    every: Annotated[
        str, typer.Option(help="Time from chain to chain: 30s, 15m, 1h.", show_default="as the settings say")
    ] = "",
    until: Annotated[str, typer.Option(help="When to stop, such as 2026-07-29T20:00 (UTC).")] = "",
    once: Annotated[bool, typer.Option("--once", help="Stop when each feed has brought a chain.")] = False,
    wait: Annotated[float, typer.Option(min=1.0, help="With --once: give up after so many seconds.")] = 300.0,
    home: HomeFolder = None,
    config: Config = None,
    overrides: Overrides = None,
    json_output: Json = False,
) -> None:
    """Collect chains of live feeds into FOLDER, until Ctrl-C: a file an underlying and day.

    `--source parquet:FOLDER` replays them. Rejected chains go to quarantine-*.jsonl, with their reason.
    """
    from random import Random

    from skewline.servers.marketdata.collecting.opening import CollectFault, collector_of
    from skewline.servers.marketdata.live.clock import SystemClock
    from skewline.servers.marketdata.sources.source import SourceError

    settings = local_settings(context, home, config, overrides or ())
    every_s, left_s = _every(every), _left(until)
    try:
        collector = collector_of(
            [feed.strip() for feed in feeds.split(",")],
            to.expanduser(),
            settings=settings.marketdata,
            every_s=every_s,
            clock=SystemClock(),
            random=Random(),
            say=_printer(as_json=json_output),
        )
    except CollectFault as error:
        fail(f"FEEDS: {error}", USAGE)
    try:
        asyncio.run(_collect(collector, min(left_s, wait) if once else left_s, once=once))
    except (OSError, SourceError) as error:
        fail(f"--to: {error}")
    if once and collector.waiting_for:
        fail(f"no chain came of {', '.join(collector.waiting_for)}", REFUSED)


async def _collect(collector: Collector, most_s: float, *, once: bool) -> None:
    running = asyncio.create_task(collector.run())
    loop = asyncio.get_running_loop()
    # Not in the main thread, where a program runs the command: then that program has the signals.
    with suppress(RuntimeError, ValueError, NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
    brought = asyncio.create_task(collector.all_brought.wait() if once else asyncio.Event().wait())
    await asyncio.wait(
        {running, brought},
        timeout=most_s if most_s != float("inf") else None,
        return_when=asyncio.FIRST_COMPLETED,
    )
    brought.cancel()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _printer(*, as_json: bool) -> Say:
    from skewline.clients.cli.feed_words import notice_text
    from skewline.clients.cli.terminal import plain
    from skewline.clients.cli.wording import time_text
    from skewline.servers.marketdata.collecting.collector import Kept
    from skewline.v1 import chain_pb2, feed_pb2

    def say(told: Kept | feed_pb2.FeedNotice | OSError) -> None:
        if isinstance(told, feed_pb2.FeedNotice):
            line = plain(told) if as_json else notice_text(told)
        elif isinstance(told, OSError):
            line = {"error": str(told)} if as_json else f"{told}; trying again"
        else:
            one = told.summary
            accepted = one.status == chain_pb2.CHAIN_STATUS_ACCEPTED
            became = f"{one.quotes:,} quotes" if accepted else f"rejected, {one.reason}: {one.detail}"
            line = f"{one.underlying}  {time_text(one.time_ns)}  {became}  -> {told.file.name}"
            if as_json:
                line = {"summary": plain(one), "file": str(told.file)}
        print(json.dumps(line, ensure_ascii=False) if as_json else line, flush=True)

    return say


def _every(text: str) -> float:
    if not text:
        return 0.0
    found = _EVERY.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= 86_400:
        fail(f"--every: must be from 1s to 24h, such as 30s, 15m or 1h; not {text!r}", USAGE)
    return float(seconds)


def _left(text: str) -> float:
    if not text:
        return float("inf")
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--until: must be a time such as 2026-07-29T20:00 (UTC), not {text!r}", USAGE)
    left = ((end if end.tzinfo else end.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    if left <= 0:
        fail(f"--until: {text} is past; give a time to come", USAGE)
    return left
