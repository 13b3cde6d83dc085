"""The smiles of the last good surface, as what the next chain's vols are held against."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.record import smile_of
from skewline.servers.calibration.verdict import GOOD
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class LastSmiles:
    """The good smiles of record of one surface, one an expiry instant, ascending."""

    time_ns: int
    slices: tuple[surface_pb2.VolSlice, ...]

    @classmethod
    def of(cls, surface: surface_pb2.VolSurface) -> LastSmiles | None:
        """Those of `surface`; None where it has none, or comes without the columns of its slices."""
        kept = {s.expiry_ns: s for s in reversed(surface.slices) if s.record.status == GOOD and s.record.knot}
        slices = tuple(kept[at] for at in sorted(kept) if kept[at].strike)
        return cls(surface.time_ns, slices) if slices else None

    def vols(self, expiry_ns: int, k: Doubles) -> Doubles:
        """Vols at log-moneyness `k` of the expiry of that instant, as they were.

        Between two expiries total variance is linear in time; NaN outside the strikes or the expiries that
        were quoted.
        """
        instants = [each.expiry_ns for each in self.slices]
        after = bisect_right(instants, expiry_ns)
        if not after:
            return np.full(k.shape, np.nan)
        before = self.slices[after - 1]
        if before.expiry_ns == expiry_ns:
            return np.sqrt(_variance(before, k) / before.years)
        if after == len(instants):
            return np.full(k.shape, np.nan)
        later = self.slices[after]
        share = (expiry_ns - before.expiry_ns) / (later.expiry_ns - before.expiry_ns)
        years = before.years + share * (later.years - before.years)
        variance = (1.0 - share) * _variance(before, k) + share * _variance(later, k)
        return np.sqrt(variance / years)


def _variance(fitted: surface_pb2.VolSlice, k: Doubles) -> Doubles:
    low, high = (math.log(fitted.strike[end] / fitted.forward) for end in (0, -1))
    quoted = (k >= low) & (k <= high)
    return np.where(quoted, smile_of(fitted).derivatives(k)[0], np.nan)
