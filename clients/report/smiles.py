"""Smiles of one surface: quotes as bars from bid to ask, with the fitted curves through them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREY, ORANGE, column, dress
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


def shown_slices(surface: surface_pb2.VolSurface) -> list[surface_pb2.VolSlice]:
    """The expiries that are plotted: all, or so many spread from the nearest to the farthest."""
    quoted = [expiry for expiry in surface.slices if expiry.strike]
    if len(quoted) <= MOST_EXPIRIES:
        return quoted
    return [quoted[i] for i in np.linspace(0, len(quoted) - 1, MOST_EXPIRIES).round().astype(int)]


def smile_grid(surface: surface_pb2.VolSurface) -> go.Figure | None:
    """A panel an expiry; None when the surface has no quotes."""
    slices = shown_slices(surface)
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
    for index, expiry in enumerate(slices):
        row, col = divmod(index, columns)
        for trace in _curves(expiry, in_legend=_first_with(slices, index)):
            figure.add_trace(trace, row=row + 1, col=col + 1)
    figure.update_yaxes(ticksuffix=" %", tickfont_size=10)
    figure.update_xaxes(tickformat=".2f", tickfont_size=10)
    figure.update_xaxes(title_text="strike / forward", title_font_size=11, row=rows)
    figure.update_annotations(font_size=12)
    dress(figure, 70 + 215 * rows, margin={"l": 48, "r": 12, "t": 64, "b": 44})
    figure.update_layout(legend={"y": 1.0 + 34 / (215 * rows)})
    return figure


def _first_with(slices: Sequence[surface_pb2.VolSlice], index: int) -> frozenset[str]:
    """Curves whose legend entry this panel brings: the first panel that has them."""
    first = {
        "quotes": 0,
        "SABR": _first_index(slices, "model_iv"),
        "Heston": _first_index(slices, "heston_iv"),
    }
    return frozenset(name for name, at in first.items() if at == index)


def _first_index(slices: Sequence[surface_pb2.VolSlice], field: str) -> int:
    return next((i for i, expiry in enumerate(slices) if len(getattr(expiry, field))), -1)


def _title(expiry: surface_pb2.VolSlice) -> str:
    name = " ".join(part for part in (expiry.root, expiry.expiry_date, settlement(expiry)) if part)
    title = f"<b>{escape(name)}</b>  {expiry.years * 365:.0f} d"
    if expiry.status != surface_pb2.FIT_STATUS_GOOD:
        title += f"  <i>{wording.fit_status(expiry.status)}</i>"
    return title


def _curves(expiry: surface_pb2.VolSlice, in_legend: frozenset[str]) -> list[go.Scatter]:
    strike = column(expiry.strike)
    moneyness = strike / np.float32(expiry.forward)
    mid, bid, ask = (100 * column(side) for side in (expiry.mid_iv, expiry.bid_iv, expiry.ask_iv))
    curves = [
        go.Scatter(
            x=moneyness,
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
            showlegend="quotes" in in_legend,
            hovertemplate="strike %{customdata:,}<br>mid %{y:.2f} %<extra></extra>",
        )
    ]
    for name, values, colour, dash in (
        ("SABR", expiry.model_iv, BLUE, "solid"),
        ("Heston", expiry.heston_iv, ORANGE, "dash"),
    ):
        if len(values) != len(strike):
            continue
        curves.append(
            go.Scatter(
                x=moneyness,
                y=100 * column(values),
                mode="lines",
                line={"color": colour, "width": 1.8, "dash": dash},
                name=name,
                legendgroup=name,
                showlegend=name in in_legend,
                hovertemplate=f"{name} %{{y:.2f}} %<extra></extra>",
            )
        )
    return curves
