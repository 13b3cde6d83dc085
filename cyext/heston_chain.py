"""Sorts a chain into groups of one expiry and one side of the forward, as the kernel takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skewline.cyext.arguments import Doubles


@dataclass(frozen=True, slots=True)
class SortedChain:
    """Options in the kernel's order: option j is the caller's `order[j]`, `bounds` delimit the groups."""

    order: NDArray[np.int64]
    log_moneyness: Doubles
    expiry: Doubles
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, forward: Doubles, strike: Doubles, expiry: Doubles, usable: NDArray[np.bool_]) -> SortedChain:
        """Sort the usable ones of flat arrays; only for them forward, strike and expiry must be positive."""
        chosen = np.flatnonzero(usable)
        log_moneyness = np.log(forward[chosen] / strike[chosen])
        upper = log_moneyness >= 0.0
        order = np.lexsort((log_moneyness, upper, expiry[chosen]))
        x, t, side = log_moneyness[order], expiry[chosen][order], upper[order]
        starts = np.flatnonzero((np.diff(t) != 0.0) | (side[1:] != side[:-1])) + 1
        bounds = np.concatenate(([0], starts, [x.size])) if x.size else np.zeros(1, dtype=np.int64)
        return cls(
            order=chosen[order],
            log_moneyness=np.ascontiguousarray(x),
            expiry=np.ascontiguousarray(t),
            bounds=np.ascontiguousarray(bounds, dtype=np.int64),
        )
