"""A smile drawn with characters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from skewline.clients.cli.wording import percent, plain_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skewline.v1 import surface_pb2

_WIDTH: Final = 72
_HEIGHT: Final = 16


def drawn(fitted: surface_pb2.VolSlice) -> str:
    """Vol against strike: `│` from bid to ask vol, `●` the surface of record, `┊` the forward."""
    title = f"{fitted.root} {fitted.expiry_date}: implied vol by strike (│ bid to ask, ● record, ┊ forward)"
    strikes = [k for k, vol in zip(fitted.strike, fitted.record_iv, strict=True) if math.isfinite(vol)]
    vols = [
        v for column in (fitted.bid_iv, fitted.ask_iv, fitted.record_iv) for v in column if math.isfinite(v)
    ]
    if not strikes or not vols:
        return f"{title}\n  no fitted quotes"
    across = _Scale(min(strikes), max(strikes), _WIDTH)
    up = _Scale(min(vols), max(vols), _HEIGHT)
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    if across.low <= fitted.forward <= across.high:
        _column(grid, across.cell(fitted.forward), range(_HEIGHT), "┊")
    for strike, bid, ask in zip(fitted.strike, fitted.bid_iv, fitted.ask_iv, strict=True):
        if math.isfinite(bid) and math.isfinite(ask) and across.low <= strike <= across.high:
            _column(grid, across.cell(strike), range(up.cell(bid), up.cell(ask) + 1), "│")
    for strike, vol in zip(fitted.strike, fitted.record_iv, strict=True):
        if math.isfinite(vol):
            grid[up.cell(vol)][across.cell(strike)] = "●"
    labels = {0: percent(up.low, 1), _HEIGHT - 1: percent(up.high, 1)}
    rows = [f"{labels.get(y, ''):>8} ┤{''.join(grid[y])}" for y in reversed(range(_HEIGHT))]
    left, right = plain_number(across.low), plain_number(across.high)
    return "\n".join(
        [title, *rows, f"{'':>8} └{'─' * _WIDTH}", f"{'':>10}{left}{right:>{_WIDTH - len(left)}}"]
    )


class _Scale:
    """Values from `low` to `high` on so many cells."""

    def __init__(self, low: float, high: float, cells: int) -> None:
        self.low, self.high, self._cells = low, high, cells

    def cell(self, value: float) -> int:
        """The cell of a value."""
        span = (self.high - self.low) or 1.0
        return min(self._cells - 1, int((value - self.low) / span * self._cells))


def _column(grid: list[list[str]], x: int, rows: Sequence[int], mark: str) -> None:
    for y in rows:
        grid[y][x] = mark
