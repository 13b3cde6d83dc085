"""Single contracts whose quotes jumped while those beside them did not: a wrong key, another option's row."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.validation.contracts import Contracts, Mask, both_sided

# Of the spot; in quotes' widths; in jumps of the neighbours. A market that moves moves the neighbours too.
_FAR: Final = 0.005
_WIDTHS: Final = 2.0
_NEIGHBOURS: Final = 5.0
_EACH_SIDE: Final = 3
_WINDOW: Final = 2 * _EACH_SIDE + 1


def outlying(c: Contracts) -> Mask:
    """Where bid and ask of now lie apart from those of the last accepted snapshot as nothing else explains.

    The gap between the two pairs of quotes, less the spot's move (no option moves by more), must exceed
    0.5 % of the spot, twice the wider quote, and five times the median gap of the six nearest strikes of the
    same expiry and right. A contract without so many neighbours is not judged. One that is set aside is
    compared with nothing in the next snapshot, so that a level that lasts is believed.
    """
    broken = np.zeros(c.columns.strike.size, dtype=np.bool_)
    if c.earlier is None:
        return broken
    bid, ask, before = c.columns.bid, c.columns.ask, c.earlier
    move = c.spot - before.spot
    up = np.where(c.columns.is_call, max(move, 0.0), max(-move, 0.0))
    sound = c.both_sided & both_sided(before.bid, before.ask)
    gap = np.maximum(bid - before.ask - up, before.bid - ask - (abs(move) - up))
    gap = np.where(sound, np.maximum(gap, 0.0), np.nan)
    wide = np.maximum(ask - bid, before.ask - before.bid)
    suspects = np.flatnonzero((gap > _FAR * c.spot) & (gap > _WIDTHS * wide))
    if suspects.size:
        broken[suspects] = gap[suspects] > _NEIGHBOURS * _beside(c, gap, suspects)
    return broken


def _beside(c: Contracts, gap: Doubles, suspects: npt.NDArray[np.intp]) -> Doubles:
    """The median gap of each suspect's neighbours; NaN without enough of them."""
    series = c.columns.expiry_index * 2 + ~c.columns.is_call
    rows = np.flatnonzero(np.isfinite(gap))
    rows = rows[np.argsort(series[rows], kind="stable")]
    place = np.empty(gap.size, dtype=np.intp)
    place[rows] = np.arange(rows.size)
    at, of = place[suspects], series[suspects]
    first, end = (np.searchsorted(series[rows], of, side=side) for side in ("left", "right"))
    start = np.clip(at - _EACH_SIDE, first, np.maximum(end - _WINDOW, first))
    window = np.minimum(start[:, None] + np.arange(_WINDOW), rows.size - 1)
    # Without the suspect itself, which comes last so.
    gaps = np.sort(np.where(window == at[:, None], np.inf, gap[rows[window]]), axis=1)
    return np.where(end - first >= _WINDOW, (gaps[:, _EACH_SIDE - 1] + gaps[:, _EACH_SIDE]) / 2.0, np.nan)
