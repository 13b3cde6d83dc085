"""SABR smiles by an expansion in expiry: lognormal volatilities and their fit.

`formula="hagan"`: P. S. Hagan et al., Managing Smile Risk (Wilmott, 2002), eq. (2.17a). `formula="obloj"`:
J. Obłój, Fine-tune your smile (2008), whose leading term is the exact limit of short expiry where Hagan's is
not (strikes far below the forward, β < 1); at the money, and for β = 1, the two are the same.

Both are of first order in expiry: good while ν²T is small (below about 1), poor at low strikes for long
expiries, where the density that they imply may turn negative and even the volatility may; it is given as the
formula has it. Conventions and units: `skewline.cyext`. `shift` moves forward and strikes for markets where
they may be negative. Forward, strike (shifted), vol, weight and α count from 1e-100 to 1e100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _sabr
from skewline.cyext.arguments import (
    Broadcast,
    Codes,
    Doubles,
    doubles,
    number,
    ragged,
    same_length,
    thread_count,
    vector,
)
from skewline.cyext.status import Status

Formula: TypeAlias = Literal["hagan", "obloj"]

_NO_WEIGHTS = np.empty(0)


@dataclass(frozen=True, slots=True)
class SabrStandardErrors:
    """Standard errors of one smile's parameters; see `SabrFit`."""

    alpha: float
    beta: float
    rho: float
    nu: float


@dataclass(frozen=True, slots=True)
class SabrFit:
    """One fitted smile.

    `rmse` is the weighted root mean square error in vol; `converged` is False, with the `status`, where the
    fit did not reach its tolerance or there are fewer different strikes than parameters (then the numbers are
    a best effort, or NaN where there is nothing to fit).

    `stderr` are asymptotic standard errors, the noise's variance being that of the residuals and weights its
    relative inverse: NaN where there are no more points than parameters or the parameter stopped at its
    bound, 0 for a fixed β. `condition` is the condition number of the weighted Jacobian in (ln α F^{β-1}, ρ,
    ln ν, and β if free), in Frobenius' norm (at least 3, or 4 with β free; inf where singular). β is nearly
    as good as exchangeable with ρ: free, expect a condition of hundreds and a `stderr.beta`
    that is a large part of [0, 1].
    """

    alpha: float
    beta: float
    rho: float
    nu: float
    rmse: float
    iterations: int
    converged: bool
    status: Status
    stderr: SabrStandardErrors
    condition: float


@dataclass(frozen=True, slots=True)
class SabrFits:
    """As `SabrFit`, with one element a smile in every field."""

    alpha: Doubles
    beta: Doubles
    rho: Doubles
    nu: Doubles
    rmse: Doubles
    iterations: Codes
    converged: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    status: Codes
    stderr_alpha: Doubles
    stderr_beta: Doubles
    stderr_rho: Doubles
    stderr_nu: Doubles
    condition: Doubles


def _is_obloj(formula: Formula) -> bool:
    if formula not in ("hagan", "obloj"):
        raise ValueError(f"formula must be 'hagan' or 'obloj', not {formula!r}")
    return formula == "obloj"


def implied_vol(
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    alpha: ArrayLike,
    beta: ArrayLike,
    rho: ArrayLike,
    nu: ArrayLike,
    shift: ArrayLike = 0.0,
    *,
    formula: Formula = "hagan",
    out: Doubles | None = None,
    threads: int = 1,
) -> Doubles:
    """Black volatility of the smile at `strike`; all arguments broadcast.

    NaN where forward + shift, strike + shift or alpha is not positive, beta is outside [0, 1], |rho| >= 1
    or nu < 0. Accurate to 3e-13 relative, the conditioning of ρ near ±1 apart. `out` is written into, as a
    ufunc's.
    """
    obloj = _is_obloj(formula)
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    a, be, r = doubles("alpha", alpha), doubles("beta", beta), doubles("rho", rho)
    n, s = doubles("nu", nu), doubles("shift", shift)
    b = Broadcast(forward=f, strike=k, expiry=t, alpha=a, beta=be, rho=r, nu=n, shift=s)
    result = b.result(out)
    f, k, t, a, be, r, n, s = (b.flat(array) for array in (f, k, t, a, be, r, n, s))
    _sabr.implied_vol(f, k, t, a, be, r, n, s, obloj, result.reshape(-1), thread_count(threads))
    return result


def calibrate_many(
    forwards: ArrayLike,
    expiries: ArrayLike,
    strikes: ArrayLike,
    vols: ArrayLike,
    offsets: ArrayLike,
    *,
    beta: ArrayLike | None = 0.5,
    weights: ArrayLike | None = None,
    shift: ArrayLike = 0.0,
    formula: Formula = "hagan",
    threads: int = 1,
) -> SabrFits:
    """Fit many smiles of different lengths in implied-volatility space, each as if it were alone.

    `beta` is one for all or one a smile; None finds it as well, a fourth parameter within [0, 1]. So is
    `shift`.

    `strikes`, `vols` and `weights` hold all smiles one after another; smile i is [offsets[i],
    offsets[i+1]), so `offsets` is one longer than `forwards` and `expiries`. Points that are not finite,
    not positive or without weight are left out. ValueError for lengths or offsets that do not fit together,
    or beta outside [0, 1].
    """
    f, t = vector("forwards", forwards), vector("expiries", expiries)
    k, v = vector("strikes", strikes), vector("vols", vols)
    same_length(f.size, expiries=t)
    same_length(k.size, vols=v)
    w = _NO_WEIGHTS if weights is None else vector("weights", weights)
    if weights is not None:
        same_length(k.size, weights=w)
    starts = ragged(offsets, k.size, forwards=f)
    given = np.full(f.shape, np.nan)
    if beta is not None:
        given = doubles("beta", beta)
        if not bool(np.all((given >= 0.0) & (given <= 1.0))):
            raise ValueError(f"beta must be within [0, 1], not {beta}")
        given = _for_each("beta", given, f.size)
    s = _for_each("shift", doubles("shift", shift), f.size)
    obloj = _is_obloj(formula)
    out = np.empty((10, f.size))
    codes = np.empty((2, f.size), dtype=np.int32)
    _sabr.calibrate_many(f, t, k, v, w, starts, given, s, obloj, out, codes, thread_count(threads))
    return SabrFits(
        alpha=out[0],
        beta=out[1],
        rho=out[2],
        nu=out[3],
        rmse=out[8],
        iterations=codes[0],
        converged=codes[1] == int(Status.OK),
        status=codes[1],
        stderr_alpha=out[4],
        stderr_beta=out[5],
        stderr_rho=out[6],
        stderr_nu=out[7],
        condition=out[9],
    )


def _for_each(name: str, values: Doubles, count: int) -> Doubles:
    if values.shape not in {(), (1,), (count,)}:
        raise ValueError(f"{name} must be one number or {count}, one a smile, not of shape {values.shape}")
    return np.ascontiguousarray(np.broadcast_to(values, (count,)))


def calibrate(
    forward: float,
    expiry: float,
    strikes: ArrayLike,
    vols: ArrayLike,
    *,
    beta: float | None = 0.5,
    weights: ArrayLike | None = None,
    shift: float = 0.0,
    formula: Formula = "hagan",
) -> SabrFit:
    """Fit one smile, `beta` fixed or, if None, found; see `calibrate_many`."""
    k, v = vector("strikes", strikes), vector("vols", vols)
    same_length(k.size, vols=v)
    w = _NO_WEIGHTS if weights is None else vector("weights", weights)
    if weights is not None:
        same_length(k.size, weights=w)
    given = math.nan if beta is None else number("beta", beta)
    if not (beta is None or 0.0 <= given <= 1.0):
        raise ValueError(f"beta must be within [0, 1], not {beta}")
    ends = np.array([0, k.size], dtype=np.int64)
    smile = np.array(
        [[number("forward", forward)], [number("expiry", expiry)], [given], [number("shift", shift)]]
    )
    out, codes = np.empty((10, 1)), np.empty((2, 1), dtype=np.int32)
    _sabr.calibrate_many(
        smile[0], smile[1], k, v, w, ends, smile[2], smile[3], _is_obloj(formula), out, codes, 1
    )
    alpha, fitted_beta, rho, nu, d_alpha, d_beta, d_rho, d_nu, rmse, condition = out[:, 0].tolist()
    iterations, status = codes[:, 0].tolist()
    return SabrFit(
        alpha=alpha,
        beta=fitted_beta,
        rho=rho,
        nu=nu,
        rmse=rmse,
        iterations=iterations,
        converged=status == Status.OK,
        status=Status(status),
        stderr=SabrStandardErrors(d_alpha, d_beta, d_rho, d_nu),
        condition=condition,
    )
