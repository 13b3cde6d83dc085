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
_PARAMETERS = len(_NAMES)


@dataclass(frozen=True, slots=True)
class HestonFit:
    """A fitted surface: the parameters, how good they are and how well the data tells them apart.

    `sse` is the weighted sum of squared vol differences, `rmse` their weighted root mean square.
    `converged` says that the descent reached its tolerance; `agreed` that another start came to the same
    sum (None: there was no other). `stderr` holds the standard errors of (v0, κ, θ, σ, ρ): residual variance
    times (JᵀWJ)⁻¹ at the optimum, which takes the vol differences for independent, of a variance in inverse
    proportion to their weights, and the model for true; NaN for a parameter at its bound (the others' are
    then those given it) and for all where no quote is left over. `feller` is 2κθ/σ² (>= 1: variance stays
    positive). `condition` is the condition number of the Jacobian in (log v0, log κ, log θ, log σ, ρ): beyond
    about 1e3 some combination of parameters is barely determined. `at_bounds` names parameters that stopped
    at the edge of the search. `model_vols` is in the shape and order of the input, NaN where an input was
    left out.
    """

    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float
    stderr: Doubles
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
    *,
    enforce_feller: bool,
    threads: int,
) -> HestonFit:
    """Fit flat arrays of one length, in any order; what cannot be used is left out."""
    model_vols = np.empty(vols.size)
    found = _heston.fit(forward, strike, expiry, vols, weights, initial, enforce_feller, model_vols, threads)
    if found is None:
        return _nothing(model_vols)
    (v0, kappa, theta, sigma, rho), errors, x, outcome = found
    sse, weight, condition, used, iterations, converged, starts, agreed = outcome
    enough = used >= _PARAMETERS
    # where not one price of the model has a vol there was nothing to descend on
    converged = converged and bool(np.isfinite(model_vols).any())
    return HestonFit(
        v0=v0,
        kappa=kappa,
        theta=theta,
        sigma=sigma,
        rho=rho,
        stderr=np.array(errors),
        rmse=math.sqrt(sse / weight),
        sse=sse,
        iterations=iterations,
        converged=converged and enough,
        feller=2.0 * kappa * theta / sigma**2,
        condition=condition,
        model_vols=model_vols,
        status=(Status.OK if converged else Status.NOT_CONVERGED) if enough else Status.TOO_FEW,
        starts=starts,
        agreed=None if agreed < 0 else bool(agreed),
        at_bounds=tuple(
            name
            for name, value, low, high in zip(_NAMES, x, *_heston.BOX, strict=True)
            if not low < value < high
        ),
    )


def _nothing(model_vols: Doubles) -> HestonFit:
    nan = math.nan
    return HestonFit(
        v0=nan,
        kappa=nan,
        theta=nan,
        sigma=nan,
        rho=nan,
        stderr=np.full(_PARAMETERS, nan),
        rmse=nan,
        sse=nan,
        iterations=0,
        converged=False,
        feller=nan,
        condition=nan,
        model_vols=model_vols,
        status=Status.TOO_FEW,
        starts=0,
        agreed=None,
        at_bounds=(),
    )
