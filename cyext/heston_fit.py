"""The calibration of Heston's five parameters to a surface of implied volatilities.

Each descent is Levenberg–Marquardt with the analytic gradient (Cui, del Baño Rollin & Germano, EJOR 2017)
on vol differences, in log v0, log κ, log θ, log σ and ρ. A cold fit descends from several starts and says
whether they agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skewline.cyext import _heston
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status

_NAMES = ("v0", "kappa", "theta", "sigma", "rho")


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


def fit_surface(
    forward: Doubles,
    strike: Doubles,
    expiry: Doubles,
    vols: Doubles,
    weights: Doubles,
    initial: Doubles | None,
    threads: int,
) -> HestonFit:
    """Fit flat arrays of one length, in any order; what cannot be used is left out."""
    model_vols = np.full(vols.size, np.nan)
    x, normal = np.empty(5), np.empty((5, 5))
    sse, weight, used, iterations, converged, starts, agreed = _heston.fit(
        forward, strike, expiry, vols, weights, initial, model_vols, x, normal, threads
    )
    if not math.isfinite(sse):
        return _nothing(model_vols)
    v0, kappa, theta, sigma = (math.exp(one) for one in x[:4].tolist())
    enough = used >= 5
    # where not one price of the model has a vol there was nothing to descend on
    converged = converged and bool(np.isfinite(model_vols).any())
    return HestonFit(
        v0=v0,
        kappa=kappa,
        theta=theta,
        sigma=sigma,
        rho=float(x[4]),
        rmse=math.sqrt(sse / weight),
        sse=sse,
        iterations=iterations,
        converged=converged and enough,
        feller=2.0 * kappa * theta / sigma**2,
        condition=_condition(normal),
        model_vols=model_vols,
        status=(Status.OK if converged else Status.NOT_CONVERGED) if enough else Status.TOO_FEW,
        starts=starts,
        agreed=None if agreed < 0 else bool(agreed),
        at_bounds=_at_bounds(x),
    )


def _at_bounds(x: Doubles) -> tuple[str, ...]:
    return tuple(
        name
        for name, value, low, high in zip(_NAMES, x.tolist(), *_heston.BOX, strict=True)
        if not low < value < high
    )


def _condition(normal: Doubles) -> float:
    values = np.linalg.eigvalsh(normal) if bool(np.all(np.isfinite(normal))) else np.array([np.nan])
    if not values[0] > 0.0:
        return float("inf")
    return float(np.sqrt(values[-1] / values[0]))


def _nothing(model_vols: Doubles) -> HestonFit:
    nan = float("nan")
    return HestonFit(
        nan, nan, nan, nan, nan, nan, nan, 0, False, nan, nan, model_vols, Status.TOO_FEW, 0, None, ()
    )
