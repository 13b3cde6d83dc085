"""SABR smiles: P. S. Hagan et al., Managing Smile Risk (Wilmott, 2002), lognormal volatility, eq. (2.17a).

Conventions and units: `skewline.cyext`. `shift` moves forward and strikes for markets where they may be
negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _sabr
from skewline.cyext.arguments import Broadcast, Codes, Doubles, doubles, same_length, thread_count, vector
from skewline.cyext.status import Status


@dataclass(frozen=True, slots=True)
class SabrFit:
    """One fitted smile.

    `rmse` is the weighted root mean square error in vol; `converged` is False, with the `status`, where the
    fit did not reach its tolerance or fewer than three strikes determine three parameters (then the numbers
    are a best effort, or NaN where there is nothing to fit).
    """

    alpha: float
    beta: float
    rho: float
    nu: float
    rmse: float
    iterations: int
    converged: bool
    status: Status


@dataclass(frozen=True, slots=True)
class SabrFits:
    """As `SabrFit`, with one element a smile in every field but `beta`."""

    alpha: Doubles
    beta: float
    rho: Doubles
    nu: Doubles
    rmse: Doubles
    iterations: Codes
    converged: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    status: Codes


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
    threads: int = 1,
) -> Doubles:
    """Black volatility of the smile at `strike`; all arguments broadcast.

    NaN where forward + shift, strike + shift or alpha is not positive, beta is outside [0, 1], |rho| >= 1
    or nu < 0.
    """
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    a, be, r = doubles("alpha", alpha), doubles("beta", beta), doubles("rho", rho)
    n, s = doubles("nu", nu), doubles("shift", shift)
    b = Broadcast(forward=f, strike=k, expiry=t, alpha=a, beta=be, rho=r, nu=n, shift=s)
    result = b.result()
    f, k, t, a, be, r, n, s = (b.flat(array) for array in (f, k, t, a, be, r, n, s))
    _sabr.implied_vol(f, k, t, a, be, r, n, s, result.reshape(-1), thread_count(threads))
    return result


def calibrate_many(
    forwards: ArrayLike,
    expiries: ArrayLike,
    strikes: ArrayLike,
    vols: ArrayLike,
    offsets: ArrayLike,
    *,
    beta: float = 0.5,
    weights: ArrayLike | None = None,
    shift: ArrayLike = 0.0,
    threads: int = 1,
) -> SabrFits:
    """Fit many smiles of different lengths, `beta` fixed.

    `strikes`, `vols` and `weights` hold all smiles one after another; smile i is [offsets[i],
    offsets[i+1]), so `offsets` is one longer than `forwards` and `expiries`. Points that are not finite,
    not positive or without weight are left out. ValueError for lengths or offsets that do not fit together,
    or beta outside [0, 1].
    """
    f, t = vector("forwards", forwards), vector("expiries", expiries)
    k, v = vector("strikes", strikes), vector("vols", vols)
    same_length(f.size, expiries=t)
    same_length(k.size, vols=v)
    w = np.empty(0) if weights is None else vector("weights", weights)
    if weights is not None:
        same_length(k.size, weights=w)
    starts = np.asarray(offsets)
    if starts.dtype.kind not in "iu":
        raise TypeError(f"offsets must hold integers, not {starts.dtype}")
    starts = np.ascontiguousarray(starts, dtype=np.int64)
    if starts.shape != (f.size + 1,):
        raise ValueError(
            f"offsets must have {f.size + 1} elements (one more than forwards), not {starts.size}"
        )
    if starts[0] != 0 or starts[-1] != k.size or bool(np.any(np.diff(starts) < 0)):
        raise ValueError(f"offsets must rise from 0 to the number of strikes ({k.size})")
    if not 0.0 <= beta <= 1.0:
        raise ValueError(f"beta must be within [0, 1], not {beta}")
    s = np.ascontiguousarray(np.broadcast_to(doubles("shift", shift), f.shape))
    out = np.empty((4, f.size))
    codes = np.empty((2, f.size), dtype=np.int32)
    _sabr.calibrate_many(f, t, k, v, w, starts, beta, s, out, codes, thread_count(threads))
    return SabrFits(out[0], beta, out[1], out[2], out[3], codes[0], codes[1] == int(Status.OK), codes[1])


def calibrate(
    forward: float,
    expiry: float,
    strikes: ArrayLike,
    vols: ArrayLike,
    *,
    beta: float = 0.5,
    weights: ArrayLike | None = None,
    shift: float = 0.0,
) -> SabrFit:
    """Fit one smile, `beta` fixed, in implied-volatility space; see `calibrate_many`."""
    k = vector("strikes", strikes)
    many = calibrate_many(
        [forward], [expiry], k, vols, [0, k.size], beta=beta, weights=weights, shift=[shift]
    )
    return SabrFit(
        alpha=float(many.alpha[0]),
        beta=beta,
        rho=float(many.rho[0]),
        nu=float(many.nu[0]),
        rmse=float(many.rmse[0]),
        iterations=int(many.iterations[0]),
        converged=bool(many.converged[0]),
        status=Status(int(many.status[0])),
    )
