"""Derivatives of a smile that has no formula for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from skewline.servers.calibration.contracts import Doubles

# Of a standard deviation at the money: short against the smile, long against what rounding does.
STEP: Final = 0.01


def differentiated(
    variance: Callable[[Doubles], Doubles], k: Doubles, step: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    """w, dw/dk and d²w/dk² by central differences of the fourth order; `step` broadcasts against `k`."""
    far_left, left, w, right, far_right = (variance(k + at * step) for at in (-2.0, -1.0, 0.0, 1.0, 2.0))
    slope = (8.0 * (right - left) - (far_right - far_left)) / (12.0 * step)
    bend = (16.0 * (right + left) - (far_right + far_left) - 30.0 * w) / (12.0 * step * step)
    return w, slope, bend
