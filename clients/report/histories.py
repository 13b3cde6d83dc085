"""What moved a surface over time: a panel a factor or parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from skewline.clients.demo import wording
from skewline.clients.report.canvas import BLUE, GREEN, ORANGE, PURPLE, RED, SERIES, TEAL, column, dress
from skewline.v1 import calibration_service_pb2, surface_pb2

_COLUMNS: Final = 4
_FEWEST_LINES: Final = 60
_COLOURS: Final = {
    "factor": BLUE,
    "ou": TEAL,
    "heston": PURPLE,
    "record": GREEN,
    "sabr": ORANGE,
    "svi": RED,
}
_HESTON: Final = ("v0", "kappa", "theta", "sigma", "rho")


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at one data time, by name."""

    time_ns: int
    values: Mapping[str, float]


def of_points(points: Sequence[calibration_service_pb2.ParameterPoint]) -> list[Moment]:
    """Of what ListParameters gives, newest first there, oldest first here."""
    return [Moment(each.time_ns, dict(each.values)) for each in reversed(points)]


def of_surfaces(surfaces: Sequence[surface_pb2.VolSurface]) -> list[Moment]:
    """Factors and Heston's parameters of surfaces, oldest first."""
    moments = []
    for surface in surfaces:
        values = {f"factor.{each.name}": each.value for each in surface.factors}
        if surface.heston.status not in (surface_pb2.FIT_STATUS_FAILED, surface_pb2.FIT_STATUS_UNSPECIFIED):
            values |= {f"heston.{name}": getattr(surface.heston, name) for name in _HESTON}
        moments.append(Moment(surface.time_ns, values))
    return moments


def history_grid(moments: Sequence[Moment]) -> go.Figure | None:
    """A panel a name, in the order in which names come up; None where nothing is known."""
    names = list(dict.fromkeys(name for each in moments for name in sorted(each.values, key=_rank)))
    if not names:
        return None
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[f"<b>{escape(name)}</b>" for name in names],
        horizontal_spacing=0.06,
        vertical_spacing=min(0.12, 0.42 / rows),
    )
    for index, name in enumerate(names):
        known = [each for each in moments if name in each.values]
        row, col = divmod(index, columns)
        figure.add_trace(
            go.Scatter(
                x=[wording.moment(each.time_ns) for each in known],
                y=column(each.values[name] for each in known),
                mode="lines+markers" if len(known) < _FEWEST_LINES else "lines",
                line={"color": _COLOURS.get(name.split(".")[0], SERIES[-1]), "width": 1.6},
                marker={"size": 4},
                name=escape(name),
                showlegend=False,
                hovertemplate="%{x}<br>%{y:.5g}<extra></extra>",
            ),
            row=row + 1,
            col=col + 1,
        )
    figure.update_xaxes(tickfont_size=9, nticks=4)
    figure.update_yaxes(tickfont_size=10)
    figure.update_annotations(font_size=12)
    dress(figure, 70 + 200 * rows, margin={"l": 52, "r": 12, "t": 40, "b": 36})
    return figure


def _rank(name: str) -> int:
    """Factors first, then models in the order of their colours."""
    family = name.split(".")[0]
    return list(_COLOURS).index(family) if family in _COLOURS else len(_COLOURS)
