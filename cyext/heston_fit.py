"""The calibration of Heston's five parameters to a surface of implied volatilities.

Each descent is Levenberg–Marquardt with the analytic gradient (Cui, del Baño Rollin & Germano, EJOR 2017)
on vol differences, in log v0, log κ, log θ, log σ and ρ. A cold fit descends from several starts and says
whether they agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skewline.cyext import _heston
from skewline.cyext.arguments import Doubles
from skewline.cyext.heston_chain import SortedChain
from skewline.cyext.status import Status

#: Where the search looks for (v0, κ, θ, σ, ρ).
LOWEST = np.array([1e-6, 1e-3, 1e-6, 1e-2, -0.995])
HIGHEST = np.array([10.0, 100.0, 10.0, 20.0, 0.995])

_NAMES = ("v0", "kappa", "theta", "sigma", "rho")
_TOLERANCE = 1e-9
_MOST_ITERATIONS = 100
#: No further start after so many iterations in all: a surface that no model makes must not hold others up.
_MOST_IN_ALL = 200
#: Two descents agree when their sums of squares do to this.
_AGREEMENT = 1e-4
#: An error below this (in vol) needs no second opinion.
_PERFECT = 1e-7
#: A warm start is one whose error is within this multiple of the optimum's, or below this in vol. From
#: farther away a descent may end in a poor local optimum, so cold ones are asked as well.
_NEAR, _CLOSE = 2.0, 0.03
#: κ, σ and |ρ| of the cold starts; v0 and θ are read off the surface.
_STARTS = ((2.0, 0.8, 0.6), (10.0, 2.0, 0.6), (0.5, 0.4, 0.4), (25.0, 4.0, 0.5), (4.0, 0.3, 0.8))


@dataclass(frozen=True, slots=True)
class HestonFit:
    """A fitted surface: the parameters, how good they are and how well the data tells them apart.

    `sse` is the weighted sum of squared vol differences, `rmse` their weighted root mean square.
    `converged` says that the descent reached its tolerance; `agreed` that another start came to the same
    sum (None: there was no other). `feller` is 2κθ/σ² (>= 1: variance stays positive). `condition` is the
    condition number of the Jacobian in (log v0, log κ, log θ, log σ, ρ): beyond about 1e3 some combination
    of parameters is barely determined. `at_bounds` names parameters that stopped at the edge of the search.
    `model_vols` is in the shape and order of the input, NaN where an input was left out.
    """

    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float
    rmse: float
    sse: float
    iterations: int
    converged: bool
    feller: float
    condition: float
    model_vols: Doubles
    status: Status
    starts: int
    agreed: bool | None
    at_bounds: tuple[str, ...]

    @property
    def parameters(self) -> Doubles:
        """(v0, κ, θ, σ, ρ): the `initial` of a warm start."""
        return np.array([self.v0, self.kappa, self.theta, self.sigma, self.rho])


@dataclass(frozen=True, slots=True)
class _Descent:
    x: Doubles
    sse: float
    first_sse: float
    iterations: int
    converged: bool
    model_vols: Doubles
    normal: Doubles


def _logged(parameters: Doubles) -> Doubles:
    return np.concatenate((np.log(parameters[:4]), parameters[4:]))


def _descend(chain: SortedChain, vols: Doubles, weights: Doubles, start: Doubles, threads: int) -> _Descent:
    x = _logged(np.clip(start, LOWEST, HIGHEST))
    model_vols = np.empty(vols.size)
    normal = np.empty((5, 5))
    sse, first_sse, iterations, converged = _heston.descend(
        x,
        _logged(LOWEST),
        _logged(HIGHEST),
        chain.log_moneyness,
        chain.expiry,
        vols,
        weights,
        chain.bounds,
        model_vols,
        normal,
        _MOST_ITERATIONS,
        _TOLERANCE,
        threads,
    )
    return _Descent(x, sse, first_sse, iterations, converged, model_vols, normal)


def _cold_starts(chain: SortedChain, vols: Doubles, weights: Doubles) -> list[Doubles]:
    """Level of the near and the far end from the options nearest the money; sign of ρ from the slope."""
    scaled = chain.log_moneyness / np.sqrt(chain.expiry)
    near_money = weights * np.exp(-0.5 * (scaled / (0.5 * vols)) ** 2) + 1e-12 * weights
    first, last = chain.expiry[0], chain.expiry[-1]
    near = near_money * np.exp(-(chain.expiry - first) / (0.05 + first))
    far = near_money * np.exp(-(last - chain.expiry) / (0.2 * last))
    v0 = float(np.average(vols**2, weights=near))
    theta = float(np.average(vols**2, weights=far))
    centred = scaled - np.average(scaled, weights=weights)
    slope = float(np.sum(weights * centred * vols))
    sign = -1.0 if slope >= 0.0 else 1.0
    return [np.array([v0, kappa, theta, sigma, sign * rho]) for kappa, sigma, rho in _STARTS]


def _search(
    chain: SortedChain, vols: Doubles, weights: Doubles, initial: Doubles | None, threads: int
) -> tuple[_Descent, int, int, bool | None]:
    """The best descent, the number of starts, all iterations, and whether another start agrees."""
    if initial is not None:
        warm = _descend(chain, vols, weights, initial, threads)
        near = max((_NEAR * warm.sse**0.5) ** 2, _CLOSE**2 * float(weights.sum()))
        if warm.converged and not _at_bounds(warm.x) and warm.first_sse <= near:
            return warm, 1, warm.iterations, None
        found = [warm]
    else:
        found = []
    perfect = _PERFECT**2 * float(weights.sum())
    for start in _cold_starts(chain, vols, weights):
        found.append(_descend(chain, vols, weights, start, threads))
        ranked = sorted(found, key=lambda one: one.sse if np.isfinite(one.sse) else np.inf)
        best = ranked[0]
        done = best.converged and best.sse <= perfect
        agreed = len(ranked) > 1 and ranked[1].sse <= best.sse * (1.0 + _AGREEMENT)
        tired = sum(one.iterations for one in found) >= _MOST_IN_ALL
        if done or (agreed and best.converged) or tired:
            break
    return best, len(found), sum(one.iterations for one in found), done or agreed


def _at_bounds(x: Doubles) -> tuple[str, ...]:
    low, high = _logged(LOWEST), _logged(HIGHEST)
    return tuple(
        name for name, value, a, b in zip(_NAMES, x, low, high, strict=True) if value <= a or value >= b
    )


def _condition(normal: Doubles) -> float:
    values = np.linalg.eigvalsh(normal) if bool(np.all(np.isfinite(normal))) else np.array([np.nan])
    if not values[0] > 0.0:
        return float("inf")
    return float(np.sqrt(values[-1] / values[0]))


def fit_surface(
    chain: SortedChain, vols: Doubles, weights: Doubles, initial: Doubles | None, size: int, threads: int
) -> HestonFit:
    """Fit `vols` and `weights` given in the caller's order; `size` is the number of the caller's options."""
    model_vols = np.full(size, np.nan)
    if not chain.order.size:
        return _nothing(model_vols)
    v = np.ascontiguousarray(vols[chain.order])
    w = np.ascontiguousarray(weights[chain.order])
    best, starts, iterations, agreed = _search(chain, v, w, initial, threads)
    if not np.isfinite(best.sse):
        return _nothing(model_vols)
    model_vols[chain.order] = best.model_vols
    v0, kappa, theta, sigma = (float(one) for one in np.exp(best.x[:4]))
    enough = chain.order.size >= 5
    return HestonFit(
        v0=v0,
        kappa=kappa,
        theta=theta,
        sigma=sigma,
        rho=float(best.x[4]),
        rmse=float(np.sqrt(best.sse / w.sum())),
        sse=best.sse,
        iterations=iterations,
        converged=best.converged and enough,
        feller=2.0 * kappa * theta / sigma**2,
        condition=_condition(best.normal),
        model_vols=model_vols,
        status=(Status.OK if best.converged else Status.NOT_CONVERGED) if enough else Status.TOO_FEW,
        starts=starts,
        agreed=agreed,
        at_bounds=_at_bounds(best.x),
    )


def _nothing(model_vols: Doubles) -> HestonFit:
    nan = float("nan")
    return HestonFit(
        nan, nan, nan, nan, nan, nan, nan, 0, False, nan, nan, model_vols, Status.TOO_FEW, 0, None, ()
    )
