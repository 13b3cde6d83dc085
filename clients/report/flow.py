"""Plots of the way of the data: what was set aside, how long each hop took, one trace from quote to fill."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import plotly.graph_objects as go

from skewline.clients.report.canvas import BLUE, GREY, ORANGE, canvas, colour_of
from skewline.clients.report.span_tree import depth_first
from skewline.v1 import common_pb2, market_data_service_pb2, order_service_pb2

MOST_SPANS: Final = 60
_NAMES_WIDTH: Final = 300
_INDENT: Final = 16


def rejections(reasons: Sequence[common_pb2.ReasonCount]) -> go.Figure | None:
    """Contracts and snapshots set aside, by reason."""
    ranked = sorted(reasons, key=lambda r: (r.count, r.reason))
    if not ranked:
        return None
    figure = canvas(
        90 + 28 * len(ranked),
        xaxis={"title": {"text": "contracts and snapshots set aside"}},
        margin={"l": 200, "r": 60, "t": 12, "b": 44},
    )
    figure.add_bar(
        y=[escape(r.reason) for r in ranked],
        x=[r.count for r in ranked],
        orientation="h",
        marker_color=BLUE,
        text=[f"{r.count:,}" for r in ranked],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:,}<extra></extra>",
    )
    return figure


def hop_latency(hops: Sequence[market_data_service_pb2.HopLatency]) -> go.Figure | None:
    """Median and 99th percentile of each hop."""
    if not hops:
        return None
    names = [escape(h.hop) for h in hops]
    figure = canvas(
        110 + 40 * len(hops),
        xaxis={"title": {"text": "milliseconds"}, "rangemode": "tozero"},
        yaxis={"autorange": "reversed"},
        margin={"l": 190, "r": 60, "t": 28, "b": 44},
        barmode="group",
    )
    for name, values, colour in (
        ("p50", [h.p50_ms for h in hops], BLUE),
        ("p99", [h.p99_ms for h in hops], ORANGE),
    ):
        figure.add_bar(
            y=names,
            x=values,
            orientation="h",
            name=name,
            marker_color=colour,
            text=[f"{v:,.1f}" for v in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: {name} %{{x:,.2f}} ms<extra></extra>",
        )
    return figure


def waterfall(spans: Sequence[order_service_pb2.Span]) -> go.Figure | None:
    """The spans of one trace, a bar each, indented under their parents."""
    if not spans:
        return None
    rows = depth_first(spans)[:MOST_SPANS]
    start = min(span.start_ns for _, span in rows)
    colours = colour_of(span.service for _, span in rows)
    figure = canvas(
        90 + 24 * len(rows),
        xaxis={"title": {"text": "milliseconds since the quote"}, "rangemode": "tozero"},
        yaxis={
            "range": [len(rows) - 0.4, -0.6],
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
        },
        margin={"l": _NAMES_WIDTH, "r": 70, "t": 34, "b": 44},
        barmode="overlay",
    )
    for y, (depth, span) in enumerate(rows):
        # Tick labels end at the axis; only annotations can be set in from the left by depth.
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            xshift=_INDENT * depth - _NAMES_WIDTH,
            y=y,
            text=escape(span.name),
            showarrow=False,
            font={"size": 12},
        )
    for service, colour in colours.items():
        own = [(y, span) for y, (_, span) in enumerate(rows) if span.service == service]
        lengths = [(span.end_ns - span.start_ns) / 1e6 for _, span in own]
        figure.add_bar(
            y=[y for y, _ in own],
            x=lengths,
            base=[(span.start_ns - start) / 1e6 for _, span in own],
            orientation="h",
            width=0.68,
            name=service,
            marker={"color": [GREY if span.status.startswith("ERROR") else colour for _, span in own]},
            text=[f"{length:,.2f} ms" for length in lengths],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 11},
            customdata=[[escape(span.name), span.process_id] for _, span in own],
            hovertemplate="%{customdata[0]}<br>%{text}, process %{customdata[1]}<extra>"
            + service
            + "</extra>",
        )
    return figure
