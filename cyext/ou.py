"""Ornstein–Uhlenbeck dx = κ(m - x)dt + σdW fitted by exact maximum likelihood, given the first observation.

The transition over Δ is x' = m + e^{-κΔ}(x - m) + ε, var ε = σ²(1 - e^{-2κΔ})/2κ. At equal steps that is an
AR(1), and least squares is the maximum in closed form. At unequal ones m and σ follow from κ, and the maximum
over κ is searched: brackets over all scales of time that the steps can tell apart, then Newton's method with
analytic derivatives. Standard errors are those of the information observed at the maximum.

κ is biased upwards in small samples. `bias` is the leading term of Tang & Chen (2009), J. Econometrics 149,
65: (5 + 2e^{κΔ} + e^{2κΔ}) / 2nΔ, given and not subtracted. It is theirs for equal steps; at unequal ones Δ
is the mean step, which is right to leading order where κΔ is small (4/nΔ) and a guide elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _ou
from skewline.cyext.arguments import Codes, Doubles, doubles, thread_count, vector
from skewline.cyext.status import Status


@dataclass(frozen=True, slots=True)
class OUStandardErrors:
    """Asymptotic standard errors of the three parameters."""

    kappa: float
    mean: float
    sigma: float


@dataclass(frozen=True, slots=True)
class OUFit:
    """One fitted process; times are in the unit of `dt`.

    `kappa` <= 0 says that the data shows no mean reversion: it is reported, not clipped; `half_life` is
    then infinite and `mean` has no meaning. All are NaN, with a `status`, where there are too few
    observations (TOO_FEW, NON_FINITE), none that differ, or neighbours that are not positively correlated
    (OUT_OF_DOMAIN).
    """

    kappa: float
    mean: float
    sigma: float
    half_life: float
    stderr: OUStandardErrors
    bias: float
    log_likelihood: float
    observations: int
    status: Status

    @property
    def mean_reverting(self) -> bool:
        """Whether the estimate is one of mean reversion."""
        return self.kappa > 0.0


@dataclass(frozen=True, slots=True)
class OUFits:
    """As `OUFit`, with one element a series in every field."""

    kappa: Doubles
    mean: Doubles
    sigma: Doubles
    half_life: Doubles
    stderr_kappa: Doubles
    stderr_mean: Doubles
    stderr_sigma: Doubles
    bias: Doubles
    log_likelihood: Doubles
    status: Codes
    observations: Codes


def fit_many(matrix: ArrayLike, dt: ArrayLike, threads: int = 1) -> OUFits:
    """Fit each row of `matrix` (series × n observations), observed every `dt` > 0 or at steps `dt`.

    `dt` is one number; or the n - 1 steps of all series; or (series × n - 1) steps, each row its series' own.
    A NaN observation takes the two steps at it out of the likelihood where `dt` is a number, which leaves a
    regression in closed form; where it holds steps the two become one, and nothing is lost. ValueError for a
    matrix that is not two-dimensional, or a `dt` of another shape or with a step that is not positive.
    """
    rows = np.ascontiguousarray(doubles("matrix", matrix))
    if rows.ndim != 2:
        raise ValueError(f"matrix must be two-dimensional (series × observations), not of shape {rows.shape}")
    steps = _checked_steps(dt, rows)
    out = np.full((9, rows.shape[0]), np.nan)
    codes = np.full((2, rows.shape[0]), int(Status.TOO_FEW), dtype=np.int32)
    codes[1] = 0
    count = thread_count(threads)
    if isinstance(steps, float):
        _ou.fit_rows(rows, steps, out, codes, count)
    else:
        _ou.fit_rows_at(rows, steps, out, codes, count)
    return OUFits(*out, *codes)


def _checked_steps(dt: ArrayLike, rows: Doubles) -> float | Doubles:
    """The one step, or rows of them."""
    if isinstance(dt, int | float) or np.ndim(dt) == 0:
        step = float(dt) if isinstance(dt, int | float) else float(doubles("dt", dt))
        if not (math.isfinite(step) and step > 0.0):
            raise ValueError(f"dt must be positive and finite, not {step}")
        return step
    steps = doubles("dt", dt)
    series, waits = rows.shape[0], max(rows.shape[1] - 1, 0)
    if steps.shape not in {(waits,), (series, waits)}:
        raise ValueError(
            f"dt must be a number or of shape ({waits},) or ({series}, {waits}), the steps between"
            f" observations, not of shape {steps.shape}"
        )
    if not bool(np.all(np.isfinite(steps) & (steps > 0.0))):
        raise ValueError("dt must be positive and finite: one of its steps is not")
    return np.ascontiguousarray(np.atleast_2d(steps))


def fit(x: ArrayLike, dt: ArrayLike) -> OUFit:
    """Fit one series of n observations made every `dt` > 0 or at n - 1 steps `dt`; see `fit_many`."""
    many = fit_many(vector("x", x)[np.newaxis, :], dt)
    return OUFit(
        kappa=float(many.kappa[0]),
        mean=float(many.mean[0]),
        sigma=float(many.sigma[0]),
        half_life=float(many.half_life[0]),
        stderr=OUStandardErrors(
            float(many.stderr_kappa[0]), float(many.stderr_mean[0]), float(many.stderr_sigma[0])
        ),
        bias=float(many.bias[0]),
        log_likelihood=float(many.log_likelihood[0]),
        observations=int(many.observations[0]),
        status=Status(int(many.status[0])),
    )
