"""The history of a surface's factors and parameters, as `skewline surface --history` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from skewline.clients.cli.tables import facts, table
from skewline.clients.cli.terminal import Terminal
from skewline.clients.cli.wording import NONE, number, time_text, word
from skewline.v1 import calibration_service_pb2, surface_pb2

SHOWN: Final = ("factor.LEVEL", "factor.SKEW", "factor.CURVATURE", "factor.TERM_SLOPE")
"""What the table has where nothing is asked for; the page then has everything."""


def show_history(
    terminal: Terminal,
    underlying: str,
    names: Sequence[str],
    points: Sequence[calibration_service_pb2.ParameterPoint],
) -> None:
    """A row a surface, newest first."""
    columns = [*names] or [*SHOWN]
    terminal.show(
        table(
            f"{underlying} over time",
            ["time", "status", *(f">{name}" for name in columns)],
            [
                [
                    time_text(point.time_ns),
                    word(surface_pb2.FitStatus, point.status),
                    *(number(point.values[name], 5) if name in point.values else NONE for name in columns),
                ]
                for point in points
            ],
        )
    )
    if not points:
        terminal.show(facts("", [("surfaces", "none in that time")]))


def page_of_history(
    underlying: str, points: Sequence[calibration_service_pb2.ParameterPoint], out: Path | None
) -> Path:
    """Write the page; returns where it is."""
    from skewline.clients.report.history_page import write_history_page

    return write_history_page(underlying, points, out or Path(f"history-{underlying.lower()}.html"))
