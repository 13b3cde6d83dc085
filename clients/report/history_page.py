"""The history of a surface's factors and parameters as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skewline.clients.demo import wording
from skewline.clients.report.histories import history_grid, of_points
from skewline.clients.report.rendering import render, written
from skewline.v1 import calibration_service_pb2


def write_history_page(
    underlying: str, points: Sequence[calibration_service_pb2.ParameterPoint], path: Path
) -> Path:
    """Write the page of `points`, newest first, to `path`; returns the absolute path."""
    times = [each.time_ns for each in points]
    html = render(
        "history.html",
        underlying=underlying,
        count=len(points),
        first=wording.clock(min(times)) if times else "",
        last=wording.clock(max(times)) if times else "",
        figure=history_grid(of_points(points)),
    )
    return written(html, path)
