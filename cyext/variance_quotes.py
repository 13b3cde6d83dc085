"""Quotes of a chain as total variances: what can be fitted, by expiry and strike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skewline.cyext.arguments import Codes, Doubles, Indices, ragged, same_length, vector
from skewline.cyext.status import Status

Flags = NDArray[np.bool_]

FEWEST: Final = 3
"""Strikes that a slice is fitted to, at least."""


@dataclass(frozen=True, slots=True)
class VarianceQuotes:
    """Usable quotes by expiry and strike, vols and total variances; expiry i is [offsets[i], offsets[i + 1]).

    `order` are the caller's expiries by time, `status` is Status.OK for those that can be fitted (the others
    have no quotes here), both in this order. `lower` is 0 where there is no bid.
    """

    order: Indices
    years: Doubles
    offsets: Indices
    status: Codes
    k: Doubles
    vol: Doubles
    lower: Doubles
    upper: Doubles

    @property
    def middle(self) -> Doubles:
        """Total variance of the mid vols."""
        return self.vol**2 * np.repeat(self.years, np.diff(self.offsets))

    @property
    def vol_width(self) -> Doubles:
        """Vol of the ask less vol of the bid; where there is no bid, the vol itself."""
        root = np.sqrt(np.repeat(self.years, np.diff(self.offsets)))
        return np.where(self.lower > 0.0, (np.sqrt(self.upper) - np.sqrt(self.lower)) / root, self.vol)


def variance_quotes(
    forwards: ArrayLike,
    expiries: ArrayLike,
    strikes: ArrayLike,
    bid_vols: ArrayLike,
    ask_vols: ArrayLike,
    offsets: ArrayLike,
    mid_vols: ArrayLike | None,
) -> VarianceQuotes:
    """Of ragged columns (as `sabr.calibrate_many` takes them) what can be fitted.

    A quote is left out if its strike, mid or ask is not positive and finite, or its bid is above its ask; a
    bid that is NaN or not positive is none. Of two quotes at one strike the narrower stays. ValueError for
    lengths or offsets that do not fit together.
    """
    f, t = vector("forwards", forwards), vector("expiries", expiries)
    k, b, a = vector("strikes", strikes), vector("bid_vols", bid_vols), vector("ask_vols", ask_vols)
    same_length(f.size, expiries=t)
    same_length(k.size, bid_vols=b, ask_vols=a)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        b = np.where(b > 0.0, b, 0.0)
        m = 0.5 * (b + a) if mid_vols is None else vector("mid_vols", mid_vols)
        same_length(k.size, mid_vols=m)
        starts = ragged(offsets, k.size, forwards=f)
        expiry = np.repeat(np.arange(f.size), np.diff(starts))
        status = np.full(f.size, int(Status.OK), dtype=np.int32)
        status[~(f > 0.0)] = Status.OUT_OF_DOMAIN
        status[~(t > 0.0)] = Status.EXPIRED
        status[~(np.isfinite(f) & np.isfinite(t))] = Status.NON_FINITE
        x = np.log(k / f[expiry])
        years = t[expiry]
        upper, lower = a * a * years, b * b * years
        good = (status[expiry] == Status.OK) & (k > 0.0) & np.isfinite(x) & (m > 0.0)
        good &= np.isfinite(m * m * years) & (a > 0.0) & np.isfinite(upper) & (b <= a)
    order = np.argsort(t, kind="stable")
    place = np.empty(f.size, dtype=np.int64)
    place[order] = np.arange(f.size)
    row = np.flatnonzero(good)
    row = row[np.lexsort((upper[row] - lower[row], x[row], place[expiry[row]]))]
    where = place[expiry[row]]
    again = np.zeros(row.size, dtype=bool)
    again[1:] = (where[1:] == where[:-1]) & (np.diff(x[row]) < 1e-12)
    row, where = row[~again], where[~again]
    count = np.bincount(where, minlength=f.size)
    status = status[order]
    status[(status == Status.OK) & (count < FEWEST)] = Status.TOO_FEW
    kept = status[where] == Status.OK
    row, count = row[kept], np.where(status == Status.OK, count, 0)
    ends = np.concatenate(([0], np.cumsum(count))).astype(np.int64)
    return VarianceQuotes(order, t[order], ends, status, x[row], m[row], lower[row], upper[row])
