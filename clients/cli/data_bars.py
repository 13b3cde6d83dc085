"""`skewline data bars`: bars of underlyings out of files, into the running stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from skewline.clients.cli.command import USAGE, fail, stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.servers.marketdata.sources.bar_file import LeftOut
    from skewline.servers.marketdata.sources.source import Selection
    from skewline.v1 import chain_pb2, corporate_action_pb2

_FORMS: Final = "lean:FOLDER, csv:PATH or parquet:PATH"
_INTERVAL: Final = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RESOLUTIONS: Final = {60: "minute", 3600: "hour", 86_400: "daily"}
_ACTIONS_AT_ONCE: Final = 1000


@dataclass(slots=True)
class Loaded:
    """What became of the bars and corporate actions of a source."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    actions: int = 0
    late: int = 0
    by_underlying: dict[str, int] = field(default_factory=dict)


@stack_command
def bars(
    terminal: Terminal,
    source: Annotated[str, typer.Option("--source", metavar="SOURCE", help=f"{_FORMS}.")],
    interval: Annotated[str, typer.Option(help="Length of a bar: 30s, 1m, 1h, 1d.")] = "1d",
    symbol: Annotated[
        list[str] | None, typer.Option(help="Only of this underlying; may be repeated.")
    ] = None,
    underlying: Annotated[str, typer.Option(help="Whose bars they are, where no column says it.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")] = "",
) -> None:
    """Store bars of files; those of the same start are replaced. LEAN's bring splits and dividends along."""
    from skewline.servers.marketdata.sources.bar_file import LeftOut
    from skewline.servers.marketdata.sources.source import Selection, SourceError

    form, _, place = source.partition(":")
    if form not in ("lean", "csv", "parquet") or not place:
        fail(f"--source: {source!r} names no source of bars; write {_FORMS}", USAGE)
    chosen = Selection(tuple(symbol or ()), _day("--from", first), _day("--to", last))
    seconds = _seconds(interval)
    if form == "lean" and seconds not in _RESOLUTIONS:
        fail(f"--interval: LEAN has bars of 1m, 1h and 1d, not {interval!r}", USAGE)
    loaded, left_out = Loaded(), LeftOut()
    folder = Path(place).expanduser()
    try:
        if form == "lean":
            _record_actions(terminal, _lean_actions(folder, chosen), loaded)
        for series in _series(form, folder, seconds, underlying, chosen, left_out):
            answer = terminal.client.market_data.record_bars(series)
            loaded.added += answer.added
            loaded.replaced += answer.replaced
            loaded.unchanged += answer.unchanged
            known = loaded.by_underlying.get(series.underlying, 0)
            loaded.by_underlying[series.underlying] = known + len(series.bars)
    except SourceError as error:
        fail(f"--source: {error}", USAGE)
    _show(terminal, loaded, left_out)


def _series(
    form: str, place: Path, seconds: int, underlying: str, chosen: Selection, left_out: LeftOut
) -> Iterator[chain_pb2.BarSeries]:
    from skewline.servers.marketdata.sources.bar_file import series_of
    from skewline.servers.marketdata.sources.lean_bars import LeanBars
    from skewline.servers.marketdata.sources.tabular.bars import tabular_bars

    found = (
        LeanBars(place, chosen).rows(_RESOLUTIONS[seconds])
        if form == "lean"
        else tabular_bars(form, place, underlying, chosen, left_out)
    )
    for rows in found:
        yield from series_of(rows, seconds * 1_000_000_000, left_out)


def _lean_actions(folder: Path, chosen: Selection) -> list[corporate_action_pb2.CorporateAction]:
    from skewline.servers.marketdata.sources.lean_bars import LeanBars

    actions = LeanBars(folder, chosen).actions()
    for action in actions:
        # The service derives them.
        action.action_id, action.effective_ns = "", 0
    return actions


def _record_actions(
    terminal: Terminal, actions: list[corporate_action_pb2.CorporateAction], loaded: Loaded
) -> None:
    for start in range(0, len(actions), _ACTIONS_AT_ONCE):
        chunk = actions[start : start + _ACTIONS_AT_ONCE]
        answer = terminal.client.market_data.record_corporate_actions(chunk)
        loaded.actions += len(answer.recorded)
        loaded.late += len(answer.late)


def _show(terminal: Terminal, loaded: Loaded, left_out: LeftOut) -> None:
    from skewline.clients.cli.tables import facts, table

    reasons = [
        {"reason": reason, "count": count, "first": left_out.first[reason]}
        for reason, count in sorted(left_out.counts.items())
    ]
    if terminal.as_json:
        counts = {
            name: getattr(loaded, name) for name in ("added", "replaced", "unchanged", "actions", "late")
        }
        terminal.json({**counts, "bars": loaded.by_underlying, "left_out": reasons})
        return
    terminal.show(
        facts(
            "Bars stored",
            [
                *((name, f"{count:,} bars") for name, count in sorted(loaded.by_underlying.items())),
                ("new", f"{loaded.added:,}"),
                ("replaced", f"{loaded.replaced:,}"),
                ("as before", f"{loaded.unchanged:,}"),
                (
                    "corporate actions",
                    f"{loaded.actions:,} new, {loaded.late:,} too late to adjust positions",
                ),
            ],
        )
    )
    if reasons:
        rows = [[str(each["reason"]), f"{each['count']:,}", str(each["first"])] for each in reasons]
        terminal.show(table("Left out", ["reason", ">rows", "the first"], rows))


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fail(f"{option}: must be a day, YYYY-MM-DD, not {text!r}", USAGE)


def _seconds(text: str) -> int:
    found = _INTERVAL.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= 366 * _SECONDS["d"]:
        fail(f"--interval: must be from 1s to 366d, such as 30s, 1m, 1h or 1d; not {text!r}", USAGE)
    return seconds
