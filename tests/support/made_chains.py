"""Chains of quotes with noise on an eSSVI surface that is free of arbitrage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skewline.cyext import essvi
from skewline.cyext.arguments import Doubles

_RHO = -0.6


@dataclass(frozen=True)
class MadeChain:
    """Ragged columns as `calibrate_many` takes them, and the surface behind them."""

    forwards: Doubles
    expiries: Doubles
    strikes: Doubles
    bid_vols: Doubles
    ask_vols: Doubles
    offsets: NDArray[np.int64]

    def variance(self, index: int, k: Doubles) -> Doubles:
        """Total variance of the surface behind."""
        return surface(float(self.expiries[index]), k)

    def of(self, expiries: NDArray[np.int64]) -> MadeChain:
        """Only these expiries, in this order."""
        rows = [np.arange(self.offsets[i], self.offsets[i + 1]) for i in expiries.tolist()]
        row = np.concatenate(rows)
        ends = np.concatenate(([0], np.cumsum([each.size for each in rows])))
        return MadeChain(
            self.forwards[expiries], self.expiries[expiries], self.strikes[row], self.bid_vols[row],
            self.ask_vols[row], ends,
        )  # fmt: skip

    def reversed(self) -> MadeChain:
        """The latest expiry first."""
        return self.of(np.arange(self.expiries.size)[::-1])


def surface(expiry: float, k: Doubles) -> Doubles:
    """Total variance: 18 % at the money, a skew that fades with the root of the expiry."""
    theta = 0.18**2 * expiry
    return essvi.total_variance(k, theta, _RHO, 0.9 * np.sqrt(theta) / (1 + theta))


def made_chain(
    seed: int,
    expiries: tuple[float, ...] = (0.02, 0.1, 0.3, 0.8, 1.7),
    shifts: tuple[float, ...] | None = None,
) -> MadeChain:
    """Bands of 2 to 4 % of the vol that hold the surface; `shifts` moves the strikes of each expiry."""
    rng = np.random.default_rng(seed)
    strikes, bids, asks, ends = [], [], [], [0]
    for index, expiry in enumerate(expiries):
        deviation = 0.18 * np.sqrt(expiry)
        k = np.linspace(-3.5 * deviation, 2.5 * deviation, 45) + (
            shifts[index] * deviation if shifts else 0.0
        )
        vol = np.sqrt(surface(expiry, k) / expiry)
        strikes.append(2900.0 * np.exp(k))
        bids.append(vol * (1 - rng.uniform(0.005, 0.015, k.size)))
        asks.append(vol * (1 + rng.uniform(0.005, 0.015, k.size)))
        ends.append(ends[-1] + k.size)
    return MadeChain(
        np.full(len(expiries), 2900.0), np.array(expiries), np.concatenate(strikes), np.concatenate(bids),
        np.concatenate(asks), np.array(ends),
    )  # fmt: skip
