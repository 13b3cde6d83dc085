"""Smiles of one surface: quotes as bars from bid to ask, with what the models say through them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from skewline.clients.demo import wording
from skewline.clients.report.canvas import GREY, column, dress
from skewline.clients.report.curves import Curve, Grids, curves
from skewline.v1 import instrument_pb2, surface_pb2

MOST_EXPIRIES: Final = 12
_COLUMNS: Final = 4
_SETTLEMENT: Final = {
    instrument_pb2.SETTLEMENT_STYLE_AM: "AM",
    instrument_pb2.SETTLEMENT_STYLE_PM: "PM",
}


def settlement(expiry: surface_pb2.VolSlice) -> str:
    """AM or PM; empty where it is not known."""
    return _SETTLEMENT.get(expiry.settlement, "")


def shown_slices(surface: surface_pb2.VolSurface, most: int = MOST_EXPIRIES) -> list[surface_pb2.VolSlice]:
    """The expiries that are plotted: all, or `most` spread from the nearest to the farthest."""
    quoted = [expiry for expiry in surface.slices if expiry.strike]
    if len(quoted) <= most:
        return quoted
    return [quoted[i] for i in np.linspace(0, len(quoted) - 1, most).round().astype(int)]


def smile_grid(slices: Sequence[surface_pb2.VolSlice], grids: Grids = ()) -> go.Figure | None:
    """A panel an expiry, with the models of `grids`, else those that the slices have; None without slices."""
    if not slices:
        return None
    columns = min(_COLUMNS, len(slices))
    rows = -(-len(slices) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[_title(expiry) for expiry in slices],
        horizontal_spacing=0.05,
        vertical_spacing=min(0.12, 0.42 / rows),
    )
    named: set[str] = set()
    for index, expiry in enumerate(slices):
        row, col = divmod(index, columns)
        figure.add_trace(_quotes(expiry, in_legend=not index), row=row + 1, col=col + 1)
        for curve in curves(expiry, grids):
            # Each model is in the legend once, from the first panel that has it.
            figure.add_trace(_line(curve, curve.pen.name not in named), row=row + 1, col=col + 1)
            named.add(curve.pen.name)
    figure.update_yaxes(ticksuffix=" %", tickfont_size=10)
    figure.update_xaxes(tickformat=".2f", tickfont_size=10)
    figure.update_xaxes(title_text="strike / forward", title_font_size=11, row=rows)
    figure.update_annotations(font_size=12)
    dress(figure, 70 + 215 * rows, margin={"l": 48, "r": 12, "t": 64, "b": 44})
    figure.update_layout(legend={"y": 1.0 + 34 / (215 * rows)})
    return figure


def _title(expiry: surface_pb2.VolSlice) -> str:
    name = " ".join(part for part in (expiry.root, expiry.expiry_date, settlement(expiry)) if part)
    title = f"<b>{escape(name)}</b>  {expiry.years * 365:.0f} d"
    if expiry.status != surface_pb2.FIT_STATUS_GOOD:
        title += f"  <i>{wording.fit_status(expiry.status)}</i>"
    return title


def _quotes(expiry: surface_pb2.VolSlice, in_legend: bool) -> go.Scatter:
    strike = column(expiry.strike)
    mid, bid, ask = (100 * column(side) for side in (expiry.mid_iv, expiry.bid_iv, expiry.ask_iv))
    return go.Scatter(
        x=strike / np.float32(expiry.forward),
        y=mid,
        customdata=strike,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": np.clip(ask - mid, 0, None),
            "arrayminus": np.clip(mid - bid, 0, None),
            "color": GREY,
            "thickness": 1.2,
            "width": 0,
        },
        mode="markers",
        marker={"size": 3, "color": GREY},
        name="bid – mid – ask",
        legendgroup="quotes",
        showlegend=in_legend,
        hovertemplate="strike %{customdata:,}<br>mid %{y:.2f} %<extra></extra>",
    )


def _line(curve: Curve, in_legend: bool) -> go.Scatter:
    pen = curve.pen
    return go.Scatter(
        x=curve.moneyness,
        y=curve.vol,
        mode="lines",
        line={"color": pen.colour, "width": pen.width, "dash": pen.dash},
        name=pen.name,
        legendgroup=pen.name,
        showlegend=in_legend,
        hovertemplate=f"{pen.name} %{{y:.2f}} %<extra></extra>",
    )
