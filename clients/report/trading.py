"""Plots of what was seen and what it brought: signals, profit and loss."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import plotly.graph_objects as go

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREEN, PURPLE, RED, canvas, colour_of, column
from skewline.clients.report.tables import structure
from skewline.clients.report.timeline import Timeline
from skewline.clients.values import decimal_of
from skewline.v1 import order_pb2, signal_pb2

MOST_POINTS: Final = 3000


def edge_and_confidence(signals: Sequence[signal_pb2.Signal]) -> go.Figure | None:
    """Each signal's edge over its confidence; only the most confident where there are very many."""
    if not signals:
        return None
    shown = sorted(signals, key=lambda s: -s.confidence)[:MOST_POINTS]
    colours = colour_of(wording.strategy(s.strategy) for s in shown)
    positive = all(s.edge > 0 for s in shown)
    figure = canvas(
        360,
        xaxis={"title": {"text": "confidence"}},
        yaxis={"title": {"text": "edge a unit, currency"}, "type": "log" if positive else "linear"},
    )
    for name, colour in colours.items():
        group = [s for s in shown if wording.strategy(s.strategy) == name]
        figure.add_scatter(
            x=column(s.confidence for s in group),
            y=column(s.edge for s in group),
            mode="markers",
            marker={"color": colour, "size": 7, "opacity": 0.65},
            name=f"{name} ({len(group)})",
            text=[escape(structure(s.legs[:4])) for s in group],
            hovertemplate="%{text}<br>edge %{y:,.2f}, confidence %{x:.2f}<extra></extra>",
        )
    return figure


def profit_and_loss(points: Sequence[order_pb2.Pnl]) -> go.Figure | None:
    """Net, realised, unrealised and fees over time, a group of lines a currency."""
    if not points:
        return None
    line = Timeline(p.time_ns for p in points)
    figure = canvas(340, xaxis=line.axis, yaxis={"title": {"text": "currency"}, "tickformat": ",.0f"})
    currencies = sorted({p.currency for p in points})
    for currency in currencies:
        own = [p for p in points if p.currency == currency]
        when = [wording.clock(p.time_ns) for p in own]
        suffix = f" {currency}" if len(currencies) > 1 else ""
        for name, values, colour, width in (
            ("realised", [p.realised for p in own], GREEN, 1.3),
            ("unrealised", [p.unrealised for p in own], PURPLE, 1.3),
            ("fees", [p.fees for p in own], RED, 1.3),
            ("net", [p.net for p in own], BLUE, 2.6),
        ):
            figure.add_scatter(
                x=line.at(p.time_ns for p in own),
                text=when,
                y=[float(decimal_of(v)) for v in values],
                mode="lines",
                name=name + suffix,
                line={"color": colour, "width": width, "shape": "hv"},
                hovertemplate=f"%{{text}}<br>{name} %{{y:,.2f}}<extra></extra>",
            )
    return figure
