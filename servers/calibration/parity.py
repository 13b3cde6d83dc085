"""Forward and discount factor of one expiry from put-call parity, C - P = D (F - K)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.calibration.contracts import Doubles, Flags, Indices

_ROUNDS: Final = 5
_TRIM: Final = 3.0
_TO_STDEV: Final = 1.4826
# Mids agree better than spreads are wide, but never perfectly: quotes come in ticks.
_LEAST_SCATTER: Final = 0.05


@dataclass(frozen=True, slots=True)
class ParityPairs:
    """Calls and puts of the same strike: strikes, mids of both, and the half-width of their difference."""

    strike: Doubles
    call: Doubles
    put: Doubles
    half_width: Doubles

    @property
    def difference(self) -> Doubles:
        """Call less put."""
        return self.call - self.put

    def nearest(self, level: float, count: int) -> ParityPairs:
        """The `count` pairs with strikes nearest to `level`."""
        return self.at(np.sort(np.argsort(np.abs(self.strike - level), kind="stable")[:count]))

    def within(self, level: float, log_moneyness: float) -> ParityPairs:
        """The pairs whose |ln(K / level)| is at most `log_moneyness`."""
        return self.at(np.abs(np.log(self.strike / level)) <= log_moneyness)

    def at(self, chosen: Indices | Flags) -> ParityPairs:
        """The pairs at these positions, or with these flags."""
        return ParityPairs(self.strike[chosen], self.call[chosen], self.put[chosen], self.half_width[chosen])

    def at_the_money(self) -> float:
        """The strike where call and put cost the same, or the nearest to it: a first idea of the forward."""
        return float(self.strike[np.argmin(np.abs(self.difference))])


@dataclass(frozen=True, slots=True)
class ParityLine:
    """What the pairs say: forward and discount with their standard errors."""

    forward: float
    forward_stderr: float
    discount: float
    discount_stderr: float


def parity_line(pairs: ParityPairs) -> ParityLine | None:
    """Weighted least squares of C - P on K, outliers trimmed at three robust standard deviations.

    None where fewer than three pairs are left, or the line does not fall with the strike.
    """
    centre = pairs.at_the_money()
    x, y = pairs.strike - centre, pairs.difference
    weight = pairs.half_width**-2.0
    kept = np.ones(x.size, dtype=np.bool_)
    for _ in range(_ROUNDS):
        if np.count_nonzero(kept) < 3:
            return None
        w = np.where(kept, weight, 0.0)
        wx = w * x
        total, first, second = w.sum(), wx.sum(), (wx * x).sum()
        spread = total * second - first * first
        if not spread > 1e-12 * total * second:
            return None
        level, moment = (w * y).sum(), (wx * y).sum()
        discount = -(total * moment - first * level) / spread
        intercept = (second * level - first * moment) / spread
        scaled = (y - intercept + discount * x) / pairs.half_width
        again = np.abs(scaled) <= _TRIM * _scatter(scaled[kept])
        if np.array_equal(again, kept):
            break
        kept = again
    if not discount > 0.0:
        return None
    free = max(int(np.count_nonzero(kept)) - 2, 1)
    variance = max(float((scaled[kept] ** 2).sum()) / free, _LEAST_SCATTER**2)
    shift = intercept / discount
    # Variance of F = K0 + a / D to first order, with the covariance of the intercept a and the slope D.
    error = variance / spread * (second - 2.0 * first * shift + total * shift * shift)
    return ParityLine(
        forward=float(centre + shift),
        forward_stderr=float(np.sqrt(max(error, 0.0)) / discount),
        discount=float(discount),
        discount_stderr=float(np.sqrt(variance * total / spread)),
    )


def forward_given(discount: float, pairs: ParityPairs) -> tuple[float, float]:
    """Forward and its standard error where the discount is known: the weighted mean of K + (C - P) / D."""
    each = pairs.strike + pairs.difference / discount
    error = pairs.half_width / discount
    off = each - _median(each)
    kept = np.abs(off) <= _TRIM * _scatter(off / error) * error
    w = np.where(kept, error**-2.0, 0.0)
    forward = float((w * each).sum() / w.sum())
    scatter = max(float((w * (each - forward) ** 2).sum()) / np.count_nonzero(kept), _LEAST_SCATTER**2)
    return forward, float(np.sqrt(scatter / w.sum()))


def _scatter(scaled: Doubles) -> float:
    return max(_TO_STDEV * _median(np.abs(scaled)), _LEAST_SCATTER)


def _median(values: Doubles) -> float:
    # NumPy's own costs several times the sorting of so few.
    ranked = np.sort(values)
    return 0.5 * float(ranked[(ranked.size - 1) // 2] + ranked[ranked.size // 2])
