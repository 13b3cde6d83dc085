"""Plots of what was seen, traded and held: signals, profit and loss, Greeks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREEN, GREY, PURPLE, RED, canvas, colour_of, column, dress
from skewline.clients.report.tables import structure
from skewline.clients.values import decimal_of
from skewline.v1 import order_pb2, risk_pb2, signal_pb2

MOST_POINTS: Final = 3000
_GREEKS: Final = (
    ("delta", "per 1.00 of underlying"),
    ("gamma", "of delta per 1.00"),
    ("vega", "per 1.00 of vol"),
    ("theta", "per day"),
)


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
    figure = canvas(340, yaxis={"title": {"text": "currency"}, "tickformat": ",.0f"})
    currencies = sorted({p.currency for p in points})
    for currency in currencies:
        own = [p for p in points if p.currency == currency]
        when = [wording.moment(p.time_ns) for p in own]
        suffix = f" {currency}" if len(currencies) > 1 else ""
        for name, values, colour, width in (
            ("realised", [p.realised for p in own], GREEN, 1.3),
            ("unrealised", [p.unrealised for p in own], PURPLE, 1.3),
            ("fees", [p.fees for p in own], RED, 1.3),
            ("net", [p.net for p in own], BLUE, 2.6),
        ):
            figure.add_scatter(
                x=when,
                y=[float(decimal_of(v)) for v in values],
                mode="lines",
                name=name + suffix,
                line={"color": colour, "width": width, "shape": "hv"},
                hovertemplate=f"%{{x}}<br>{name} %{{y:,.2f}}<extra></extra>",
            )
    return figure


def greeks(portfolios: Sequence[risk_pb2.PortfolioSnapshot]) -> go.Figure | None:
    """Delta, gamma, vega and theta of the portfolio over time, in currency units."""
    if not portfolios:
        return None
    when = [wording.moment(p.time_ns) for p in portfolios]
    figure = make_subplots(
        rows=2,
        cols=2,
        shared_xaxes=True,
        horizontal_spacing=0.09,
        vertical_spacing=0.16,
        subplot_titles=[f"<b>{name}</b>  {unit}" for name, unit in _GREEKS],
    )
    for index, (name, _) in enumerate(_GREEKS):
        row, col = divmod(index, 2)
        figure.add_scatter(
            x=when,
            y=[getattr(p.greeks, name) for p in portfolios],
            mode="lines",
            row=row + 1,
            col=col + 1,
            line={"color": BLUE, "width": 1.8, "shape": "hv"},
            showlegend=False,
            hovertemplate=f"%{{x}}<br>{name} %{{y:,.4~g}}<extra></extra>",
        )
    figure.update_annotations(font_size=12)
    figure.update_yaxes(tickformat="~s")
    dress(figure, 380)
    return figure


def loss_measures(portfolios: Sequence[risk_pb2.PortfolioSnapshot]) -> go.Figure | None:
    """Value at risk and expected shortfall of each confidence level over time."""
    levels = sorted({v.confidence for p in portfolios for v in p.value_at_risk})
    if not levels:
        return None
    figure = canvas(
        380, yaxis={"title": {"text": "loss, currency"}, "tickformat": ",.0f", "rangemode": "tozero"}
    )
    for level, colour in zip(levels, (GREY, BLUE, PURPLE, RED), strict=False):
        own = [(p.time_ns, v) for p in portfolios for v in p.value_at_risk if v.confidence == level]
        when = [wording.moment(time_ns) for time_ns, _ in own]
        for name, values, dash in (
            ("VaR", [v.value_at_risk for _, v in own], "solid"),
            ("shortfall", [v.expected_shortfall for _, v in own], "dot"),
        ):
            figure.add_scatter(
                x=when,
                y=values,
                mode="lines",
                name=f"{name} {level:.1%}",
                line={"color": colour, "width": 1.8, "dash": dash, "shape": "hv"},
                hovertemplate=f"%{{x}}<br>{name} %{{y:,.2f}}<extra></extra>",
            )
    return figure
