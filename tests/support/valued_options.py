"""Options valued on a surface by their OSI symbols."""

from __future__ import annotations

from skewline.servers.risk import greeks
from skewline.servers.risk.option import osi_option
from skewline.servers.risk.surface_view import SurfaceView


def valued(view: SurfaceView | None, *names: str) -> greeks.Valuation:
    return greeks.value(view, [osi_option(name) for name in names])
