"""Plots of the risk that was held: Greeks, value at risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREY, PURPLE, RED, canvas, dress
from skewline.clients.report.timeline import Timeline
from skewline.v1 import risk_pb2

_GREEKS: Final = (
    ("delta", "per 1.00 of underlying"),
    ("gamma", "of delta per 1.00"),
    ("vega", "per 1.00 of vol"),
    ("theta", "per day"),
)


def greeks(portfolios: Sequence[risk_pb2.PortfolioSnapshot]) -> go.Figure | None:
    """Delta, gamma, vega and theta of the portfolio over time, in currency units."""
    if not portfolios:
        return None
    line = Timeline(p.time_ns for p in portfolios)
    when = line.at(p.time_ns for p in portfolios)
    texts = [wording.clock(p.time_ns) for p in portfolios]
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
            text=texts,
            y=[getattr(p.greeks, name) for p in portfolios],
            mode="lines",
            row=row + 1,
            col=col + 1,
            line={"color": BLUE, "width": 1.8, "shape": "hv"},
            showlegend=False,
            hovertemplate=f"%{{text}}<br>{name} %{{y:,.4~g}}<extra></extra>",
        )
    figure.update_annotations(font_size=12)
    figure.update_xaxes(**line.axis, row=2)
    figure.update_yaxes(exponentformat="SI")
    dress(figure, 380)
    return figure


def loss_measures(portfolios: Sequence[risk_pb2.PortfolioSnapshot]) -> go.Figure | None:
    """Value at risk and expected shortfall of each confidence level over time."""
    levels = sorted({v.confidence for p in portfolios for v in p.value_at_risk})
    if not levels:
        return None
    line = Timeline(p.time_ns for p in portfolios)
    yaxis = {"title": {"text": "loss, currency"}, "tickformat": ",.0f", "rangemode": "tozero"}
    figure = canvas(380, xaxis=line.axis, yaxis=yaxis)
    for level, colour in zip(levels, (GREY, BLUE, PURPLE, RED), strict=False):
        own = [(p.time_ns, v) for p in portfolios for v in p.value_at_risk if v.confidence == level]
        when = line.at(time_ns for time_ns, _ in own)
        texts = [wording.clock(time_ns) for time_ns, _ in own]
        for name, values, dash in (
            ("VaR", [v.value_at_risk for _, v in own], "solid"),
            ("shortfall", [v.expected_shortfall for _, v in own], "dot"),
        ):
            figure.add_scatter(
                x=when,
                text=texts,
                y=values,
                mode="lines",
                name=f"{name} {100 * level:g} %",
                line={"color": colour, "width": 1.8, "dash": dash, "shape": "hv"},
                hovertemplate=f"%{{text}}<br>{name} %{{y:,.2f}}<extra></extra>",
            )
    return figure
