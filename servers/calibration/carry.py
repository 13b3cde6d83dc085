"""Forward and discount factor at any time, from those of a surface's expiries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skewline.servers.calibration.contracts import Doubles
from skewline.v1 import surface_pb2


class Carry:
    """Carry and rate are constant between expiries, and beyond the last as they were on the way to it."""

    def __init__(self, spot: float, slices: Sequence[surface_pb2.VolSlice]) -> None:
        known = [each for each in slices if each.forward > 0.0 and each.discount > 0.0 and each.years > 0.0]
        years = np.array([each.years for each in known])
        self._years, first = np.unique(np.concatenate(([0.0], years)), return_index=True)
        forward = np.log(np.array([spot, *(each.forward for each in known)]))
        discount = np.log(np.array([1.0, *(each.discount for each in known)]))
        self._forward, self._discount = forward[first], discount[first]

    def forward(self, years: Doubles) -> Doubles:
        """Forward at each time; NaN where no expiry has one."""
        spot = self._forward[0]
        return np.asarray(np.exp(spot + self._at(years, self._forward - spot)))

    def discount(self, years: Doubles) -> Doubles:
        """Discount factor at each time; NaN where no expiry has one."""
        return np.asarray(np.exp(self._at(years, self._discount)))

    def _at(self, years: Doubles, total: Doubles) -> Doubles:
        last = self._years[-1]
        if not last > 0.0:
            return np.full(years.shape, np.nan)
        return np.where(years > last, total[-1] * years / last, np.interp(years, self._years, total))
