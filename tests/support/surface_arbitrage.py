"""What arbitrage there is in a surface, by its prices and variances alone, on one grid for all expiries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skewline.cyext import black
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status
from skewline.cyext.variance_smile import VarianceSmile, VarianceSmiles

_POINTS = 2001
_DEVIATIONS = 10.0


@dataclass(frozen=True)
class Arbitrage:
    """The worst of all expiries, each on 2,001 points of log-moneyness within 10 deviations at the money.

    `least_g`: of Durrleman's g. `calendar`: growth of total variance from one expiry to the next, over the
    variance at the money. `convexity`: the price of a butterfly of neighbouring strikes over the forward;
    `rise`: that of the call price from one strike to the next. `steepest`: |dw/dk|. `between_g`: of g halfway
    (in variance at fixed k) between two expiries.
    """

    slices: int
    least_g: float
    calendar: float
    convexity: float
    rise: float
    steepest: float
    between_g: float


def arbitrage_of(fits: VarianceSmiles) -> Arbitrage:
    """Of all smiles whose status is OK."""
    smiles = [fits.smile(i) for i in np.argsort(fits.expiry).tolist() if fits.status[i] == Status.OK]
    widest = max(_deviation(smile) for smile in smiles)
    shared = np.linspace(-_DEVIATIONS * widest, _DEVIATIONS * widest, _POINTS)
    grids = [np.linspace(-_DEVIATIONS, _DEVIATIONS, _POINTS) * _deviation(smile) for smile in smiles]
    own = [smile.derivatives(k) for smile, k in zip(smiles, grids, strict=True)]
    prices = [_calls(k, w[0]) for k, w in zip(grids, own, strict=True)]
    growth, between = [np.inf], [np.inf]
    for before, after in pairwise(smiles):
        for k in (shared, np.linspace(-_DEVIATIONS, _DEVIATIONS, _POINTS) * _deviation(after)):
            one, two = before.derivatives(k), after.derivatives(k)
            growth.append(float(np.min(two[0] - one[0])) / _deviation(after) ** 2)
            middle = [0.5 * (a + b) for a, b in zip(one, two, strict=True)]
            between.append(float(_butterfly(k, *middle).min()))
    return Arbitrage(
        slices=len(smiles),
        least_g=min(
            float(_butterfly(k, *smile.derivatives(k)).min())
            for smile, grid in zip(smiles, grids, strict=True)
            for k in (grid, shared)
        ),
        calendar=min(growth),
        convexity=min(float(_butterflies(np.exp(k), c).min()) for k, c in zip(grids, prices, strict=True)),
        rise=max(float(np.diff(c).max()) for c in prices),
        steepest=max(float(np.abs(w[1]).max()) for w in own),
        between_g=min(between),
    )


def _deviation(smile: VarianceSmile) -> float:
    return float(np.sqrt(smile.derivatives(0.0)[0]))


def _butterfly(k: Doubles, w: Doubles, slope: Doubles, bend: Doubles) -> Doubles:
    one = 1.0 - 0.5 * k * slope / w
    return np.asarray(one**2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend)


def _calls(k: Doubles, w: Doubles) -> Doubles:
    """On a forward of 1."""
    return black.price(True, 1.0, np.exp(k), 1.0, 1.0, np.sqrt(w))


def _butterflies(strike: Doubles, call: Doubles) -> Doubles:
    """Of each strike and its neighbours, whose weights add up to one."""
    left, right = np.diff(strike)[:-1], np.diff(strike)[1:]
    share = right / (left + right)
    return np.asarray(share * call[:-2] + (1.0 - share) * call[2:] - call[1:-1])
