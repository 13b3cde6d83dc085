"""Figures of one surface from its grids: the surface itself, densities, local volatility."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go

from skewline.clients.report.canvas import SERIES, canvas, column
from skewline.clients.report.curves import Column, has_smile, row_of
from skewline.clients.report.smiles import settlement
from skewline.v1 import calibration_service_pb2, surface_pb2

Grid = calibration_service_pb2.SurfaceGrid

_HOVER = "strike / forward %{x:.3f}<br>%{y:.0f} days<br>%{z:.2f} %<extra></extra>"
_DAYS_SHOWN = (1, 7, 30, 90, 180, 365, 730, 1095)


def vol_surface(grid: Grid) -> go.Figure:
    """Vol over moneyness and time, where there are quotes."""
    moneyness, vol = _table(grid, grid.log_moneyness), 100 * _table(grid, grid.volatility)
    vol[_table(grid, grid.beyond_quotes).astype(bool)] = np.nan
    days = 365 * column(grid.years)
    figure = canvas(620, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.add_surface(
        x=np.exp(moneyness),
        y=np.broadcast_to(days[:, np.newaxis], vol.shape),
        z=vol,
        colorscale="Viridis",
        colorbar={"ticksuffix": " %", "thickness": 12, "len": 0.6},
        contours={"z": {"show": True, "usecolormap": True, "project_z": False}},
        hovertemplate=_HOVER,
    )
    ticks = [each for each in _DAYS_SHOWN if days.min() <= each <= days.max()]
    figure.update_layout(
        scene={
            "xaxis": {"title": {"text": "strike / forward"}},
            "yaxis": {"title": {"text": "days to expiry"}, "type": "log", "tickvals": ticks},
            "zaxis": {"title": {"text": "implied vol"}, "ticksuffix": " %"},
            "camera": {"eye": {"x": 1.5, "y": -1.5, "z": 0.7}},
            "aspectratio": {"x": 1.3, "y": 1.3, "z": 0.8},
        }
    )
    return figure


def densities(grid: Grid, slices: list[surface_pb2.VolSlice]) -> go.Figure | None:
    """Risk-neutral density of the underlying at each expiry, over the underlying's price by the forward."""
    figure = canvas(
        380,
        xaxis={"title": {"text": "underlying at expiry / forward"}},
        yaxis={"title": {"text": "density"}, "rangemode": "tozero"},
    )
    for at, expiry in enumerate(slices):
        row = row_of(grid, expiry.years)
        if row.stop <= row.start or not has_smile(expiry, grid.model):
            continue
        moneyness = np.exp(column(grid.log_moneyness[row]))
        figure.add_scatter(
            x=moneyness,
            # Per unit of log-moneyness in the grid; on this axis, of the ratio itself.
            y=column(grid.density[row]) / moneyness,
            mode="lines",
            line={"color": SERIES[at % len(SERIES)], "width": 1.6},
            name=escape(f"{expiry.root} {expiry.expiry_date} {settlement(expiry)}".strip()),
            hovertemplate="%{x:.3f}: %{y:.2f}<extra>%{fullData.name}</extra>",
        )
    return figure if figure.data else None


def local_vol_map(grid: Grid) -> go.Figure:
    """Local volatility over moneyness and time, where there are quotes."""
    local = 100 * _table(grid, grid.local_vol)
    local[_table(grid, grid.beyond_quotes).astype(bool)] = np.nan
    shown = local[np.isfinite(local)]
    top = float(np.quantile(shown, 0.98)) if shown.size else 100.0
    figure = canvas(
        380,
        xaxis={"title": {"text": "strike / forward"}},
        yaxis={"title": {"text": "days to expiry"}, "type": "log"},
    )
    figure.add_heatmap(
        x=np.exp(_table(grid, grid.log_moneyness)[0]),
        y=365 * column(grid.years),
        z=local,
        zmin=0.0,
        zmax=top,
        colorscale="Viridis",
        colorbar={"ticksuffix": " %", "thickness": 12},
        hovertemplate=_HOVER,
    )
    return figure


def _table(grid: Grid, values: object) -> Column:
    return np.array(values, dtype=np.float32).reshape(len(grid.years), -1)
