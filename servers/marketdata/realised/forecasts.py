"""Volatility of the bar to come, from models fitted to the bars there are. Per bar, as in `estimators`."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.marketdata.realised.estimators import Doubles

FEWEST: Final = 100
"""Returns, or variances, below which neither model is fitted."""

_WEEK, _MONTH = 5, 22


@dataclass(frozen=True, slots=True)
class Garch:
    """GARCH(1,1) of log returns: σ²' = omega + alpha ε² + beta σ², with `omega` per bar as a fraction.

    `forecast` is the volatility of the next bar; `long_run` the level that it returns to, NaN where
    alpha + beta ≥ 1 and there is none. `converged` is the optimiser's word.
    """

    forecast: float
    long_run: float
    omega: float
    alpha: float
    beta: float
    log_likelihood: float
    converged: bool


def garch(close: Doubles) -> Garch:
    """Bollerslev (1986), J. Econometrics 31, 307, with a constant mean and normal errors, by `arch`.

    ValueError for fewer than `FEWEST` returns, ones that are not finite, or ones that never differ.
    """
    # Half a second and the whole of pandas: only who asks for it pays.
    from arch.univariate import arch_model

    percent = 100.0 * np.diff(np.log(_series("close", close, FEWEST + 1)))
    if not np.ptp(percent) > 0.0:
        raise ValueError("the returns do not differ")
    model = arch_model(percent, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `converged` says it
        fit = model.fit(disp="off", show_warning=False)
    omega, alpha, beta = (float(fit.params[name]) for name in ("omega", "alpha[1]", "beta[1]"))
    left = 1.0 - alpha - beta
    return Garch(
        forecast=math.sqrt(fit.forecast(horizon=1).variance.to_numpy()[-1, 0]) / 100.0,
        long_run=math.sqrt(omega / left) / 100.0 if left > 0.0 else math.nan,
        omega=omega / 1e4,
        alpha=alpha,
        beta=beta,
        # of the returns themselves, not of percents
        log_likelihood=float(fit.loglikelihood) + percent.size * math.log(100.0),
        converged=fit.convergence_flag == 0,
    )


def har(variance: Doubles) -> float:
    """Corsi (2009), J. Fin. Econometrics 7, 174: the next bar's volatility by HAR-RV.

    Least squares of each realised variance on the one before and the means of the last 5 and 22. A
    forecast variance outside those seen is not believed: the nearest one seen stands for it. ValueError
    for fewer than `FEWEST` variances, or negative or unknown ones.
    """
    seen = _series("variance", variance, FEWEST, zero=True)
    total = np.concatenate([[0.0], np.cumsum(seen)])
    ends = np.arange(_MONTH, seen.size + 1)
    regressors = np.column_stack(
        [np.ones(ends.size), *((total[ends] - total[ends - span]) / span for span in (1, _WEEK, _MONTH))]
    )
    weights, *_ = np.linalg.lstsq(regressors[:-1], seen[_MONTH:], rcond=None)
    return math.sqrt(float(np.clip(regressors[-1] @ weights, seen.min(), seen.max())))


def _series(name: str, values: Doubles, fewest: int, *, zero: bool = False) -> Doubles:
    if values.ndim != 1 or values.size < fewest:
        raise ValueError(f"{name} must be one series of at least {fewest}, not of shape {values.shape}")
    if not bool(np.all(np.isfinite(values) & ((values >= 0.0) if zero else (values > 0.0)))):
        raise ValueError(f"{name} must be {'0 or more' if zero else 'above 0'} and finite throughout")
    return values
