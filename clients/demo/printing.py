"""The figures of a run, on a terminal or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from skewline.clients.cli.span_tree import span_tree
from skewline.clients.demo import wording
from skewline.clients.demo.stage_lines import stage_lines
from skewline.clients.demo.summary import RunSummary
from skewline.v1 import order_service_pb2

_FIT_HEADINGS: Final = (
    "surfaces", "data", "fits", "good", "poor", "failed", "quotes", "error, median", "largest", "30-day vol",
)  # fmt: skip


def summary_json(summary: RunSummary, **more: str) -> str:
    """The summary as one JSON object; amounts of money are text, what is not finite is null."""
    content = asdict(summary)
    for counted in ("provenance", "reasons", "orders_by_status", "denials"):
        content[counted] = dict(content[counted])
    return json.dumps(_plain({**content, "simulated": summary.simulated, **more}), indent=2)


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def print_summary(console: Console, summary: RunSummary) -> None:
    """What the run saw and did."""
    sources = ", ".join(f"{label} {number:,}" for label, number in summary.provenance)
    console.print()
    console.print(
        f"[bold]{escape(summary.source)}[/]  {summary.first_time} – {summary.last_time} UTC; "
        f"snapshots: {sources}",
        highlight=False,
    )
    if summary.simulated:
        console.print(
            "[yellow]SIMULATED snapshots were evolved from real quotes by a seeded model: "
            "what follows from them, P&L too, says nothing about a market.[/]"
        )
    console.print(_stages(summary))
    console.print(_fits(summary))
    console.print(_latency(summary))


def print_trace(console: Console, fill_id: str, spans: Sequence[order_service_pb2.Span]) -> None:
    """One fill's way from its quote, as a tree."""
    if spans:
        console.print(f"[bold]fill {escape(fill_id)}, from its quote on[/]", highlight=False)
        trace = order_service_pb2.GetTraceResponse(trace_id=spans[0].trace_id, spans=spans)
        console.print(span_tree(trace, verbose=False), highlight=False)


def _stages(summary: RunSummary) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in stage_lines(summary):
        table.add_row(name, escape(text))
    return table


def _fits(summary: RunSummary) -> Table:
    table = _table(_FIT_HEADINGS, text_columns=2)
    for fit in summary.fits:
        table.add_row(
            escape(fit.underlying), fit.provenance, f"{fit.surfaces:,}", f"{fit.good:,}", f"{fit.poor:,}",
            f"{fit.failed:,}", f"{fit.quotes:,}", wording.vol(fit.rmse_median), wording.vol(fit.rmse_max),
            wording.vol(fit.atm_vol_30d),
        )  # fmt: skip
    return table


def _latency(summary: RunSummary) -> Table:
    table = _table(("latency, ms", "p50", "p99", "largest", "snapshots"), text_columns=1)
    for hop in summary.latency:
        milliseconds = (f"{value:,.1f}" for value in (hop.p50_ms, hop.p99_ms, hop.max_ms))
        table.add_row(escape(hop.hop), *milliseconds, f"{hop.count:,}")
    return table


def _table(headings: Sequence[str], text_columns: int) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < text_columns else "right", no_wrap=True)
    return table
