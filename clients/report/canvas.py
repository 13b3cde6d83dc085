"""What all plots of the report have in common; the page gives text and grid their colours, light or dark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

BLUE: Final = "#4a7dff"
ORANGE: Final = "#f2913d"
GREEN: Final = "#1fa971"
RED: Final = "#e5566d"
PURPLE: Final = "#9b7bff"
TEAL: Final = "#18aebf"
GREY: Final = "#8a94a6"
SERIES: Final = (BLUE, ORANGE, GREEN, PURPLE, TEAL, RED, "#c48a00", "#d65db1", "#6a994e", GREY)


def column(values: Iterable[float]) -> NDArray[np.float32]:
    """A column of a plot; single precision is more than a screen shows and halves the file."""
    return np.fromiter(values, dtype=np.float32)


def canvas(height: int, **layout: Any) -> go.Figure:
    """An empty figure `height` pixels high."""
    figure = go.Figure()
    dress(figure, height, **layout)
    return figure


def dress(figure: go.Figure, height: int, **layout: Any) -> None:
    """Give `figure` the report's margins and legend."""
    common = {
        "template": "none",
        "height": height,
        "margin": {"l": 56, "r": 16, "t": 28, "b": 40},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0},
        "hovermode": "closest",
    }
    figure.update_layout(**(common | layout))


def colour_of(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same for the same names."""
    return {name: SERIES[index % len(SERIES)] for index, name in enumerate(sorted(set(names)))}
