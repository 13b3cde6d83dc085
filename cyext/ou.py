"""Ornstein–Uhlenbeck dx = κ(m - x)dt + σdW fitted to equally spaced observations by exact maximum likelihood.

The transition is the AR(1) x' = m + e^{-κΔ}(x - m) + ε, var ε = σ²(1 - e^{-2κΔ})/2κ, so least squares is
the exact (conditional) maximum likelihood. Its κ is biased upwards in small samples; `bias` is the leading
term of Tang & Chen (2009), J. Econometrics 149, 65: (5 + 2e^{κΔ} + e^{2κΔ}) / 2nΔ, given and not
subtracted.
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


def fit_many(matrix: ArrayLike, dt: float, threads: int = 1) -> OUFits:
    """Fit each row of `matrix` (series × observations), observed every `dt` > 0.

    A NaN observation takes the two steps at it out of the likelihood. ValueError for a matrix that is not
    two-dimensional or a `dt` that is not positive.
    """
    rows = np.ascontiguousarray(doubles("matrix", matrix))
    if rows.ndim != 2:
        raise ValueError(f"matrix must be two-dimensional (series × observations), not of shape {rows.shape}")
    if not (math.isfinite(dt) and dt > 0.0):
        raise ValueError(f"dt must be positive and finite, not {dt}")
    out = np.full((9, rows.shape[0]), np.nan)
    codes = np.full((2, rows.shape[0]), int(Status.TOO_FEW), dtype=np.int32)
    codes[1] = 0
    if rows.shape[1]:
        _ou.fit_rows(rows, dt, out, codes, thread_count(threads))
    return OUFits(*out, *codes)


def fit(x: ArrayLike, dt: float) -> OUFit:
    """Fit one series of observations made every `dt` > 0; see `fit_many`."""
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
