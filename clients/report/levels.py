"""Levels of volatility: over expiries (the term structure) and over time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREY, ORANGE, canvas, column
from skewline.clients.report.smiles import settlement
from skewline.v1 import surface_pb2

_MARKER = {"AM": "diamond-open", "PM": "circle", "": "circle"}


def term_structure(surfaces: Sequence[surface_pb2.VolSurface]) -> go.Figure | None:
    """At-the-money vol over time to expiry, of the first and the last surface; AM and PM apart."""
    figure = canvas(
        320, yaxis={"ticksuffix": " %"}, xaxis={"type": "log", "title": {"text": "days to expiry"}}
    )
    for surface, colour in zip(surfaces, (BLUE, ORANGE), strict=False):
        for style in ("AM", "PM", ""):
            slices = [
                expiry
                for expiry in surface.slices
                if settlement(expiry) == style and expiry.status != surface_pb2.FIT_STATUS_FAILED
            ]
            if not slices:
                continue
            figure.add_scatter(
                x=column(365 * expiry.years for expiry in slices),
                y=column(100 * expiry.atm_vol for expiry in slices),
                mode="lines+markers",
                line={"color": colour, "width": 1.6, "dash": "dot" if style == "AM" else "solid"},
                marker={"symbol": _MARKER[style], "size": 6},
                name=f"{wording.clock(surface.time_ns)[:16]} UTC" + (f", {style}-settled" if style else ""),
                text=[escape(f"{expiry.root} {expiry.expiry_date}") for expiry in slices],
                hovertemplate="%{text}<br>%{x:.1f} d: %{y:.2f} %<extra></extra>",
            )
    return figure if figure.data else None


def level_history(surfaces: Sequence[surface_pb2.VolSurface]) -> go.Figure | None:
    """30-day at-the-money vol and SABR's fit error over time, for one underlying."""
    usable = [s for s in surfaces if s.status != surface_pb2.FIT_STATUS_FAILED]
    if not usable:
        return None
    when = [wording.moment(surface.time_ns) for surface in usable]
    mode = "lines+markers" if len(usable) < 60 else "lines"
    figure = canvas(
        320,
        yaxis={"ticksuffix": " %"},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickformat": ".2f",
            "title": {"text": "fit error, vol points"},
        },
        margin={"l": 56, "r": 60, "t": 28, "b": 40},
    )
    figure.add_scatter(
        x=when,
        y=column(100 * s.rmse for s in usable),
        yaxis="y2",
        name="fit error (right)",
        mode=mode,
        line={"color": GREY, "width": 1, "dash": "dot"},
        marker={"size": 4},
        hovertemplate="%{x}<br>rmse %{y:.3f} vol points<extra></extra>",
    )
    figure.add_scatter(
        x=when,
        y=column(100 * s.atm_vol_30d for s in usable),
        name="30-day at-the-money vol",
        mode=mode,
        line={"color": BLUE, "width": 2},
        marker={"size": 5},
        hovertemplate="%{x}<br>%{y:.2f} %<extra></extra>",
    )
    return figure
