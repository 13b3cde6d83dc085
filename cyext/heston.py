"""Heston's stochastic volatility model: dv = κ(θ - v)dt + σ√v dW, corr(dW, dS/S) = ρ (S. Heston, RFS 1993).

Conventions and units: `skewline.cyext`. Prices by a control-variated Lewis integral on a bent contour whose
nodes are chosen by expiry and variance: one pass over the characteristic function serves all strikes of an
expiry.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _heston
from skewline.cyext.arguments import Broadcast, Doubles, doubles, flags, number, thread_count
from skewline.cyext.heston_fit import HestonFit, fit_surface

__all__ = ["HestonFit", "calibrate", "price"]


def price(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    *,
    v0: float,
    kappa: float,
    theta: float,
    sigma: float,
    rho: float,
    threads: int = 1,
) -> Doubles:
    """Discounted prices of European options, any mix of strikes and expiries, to about 1e-12 of the forward.

    NaN where an input is not finite, a forward, strike or discount is not positive or the expiry is
    negative; at zero expiry the intrinsic value. ValueError for parameters outside the model: v0, kappa,
    theta >= 0, sigma > 0, |rho| < 1.
    """
    given = {"v0": v0, "kappa": kappa, "theta": theta, "sigma": sigma, "rho": rho}
    parameters = np.array([number(name, value) for name, value in given.items()])
    _check_model(*parameters.tolist())
    call = flags("is_call", is_call)
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    d = doubles("discount", discount)
    b = Broadcast(is_call=call, forward=f, strike=k, expiry=t, discount=d)
    call, f, k, t, d = (b.flat(a) for a in (call, f, k, t, d))
    result = b.result()
    _heston.prices(parameters, call, f, k, t, d, result.reshape(-1), thread_count(threads))
    return result


def calibrate(
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    vols: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    initial: ArrayLike | None = None,
    enforce_feller: bool = False,
    threads: int = 1,
) -> HestonFit:
    """Least-squares fit of the five parameters to implied volatilities; all arguments broadcast.

    `weights` multiply the squared differences. Options that are not finite, not positive, expired, without
    weight, or worth less than 1e-11 of the forward at their vol are left out. `initial` (v0, kappa, theta,
    sigma, rho) is a warm start: one descent, and cold ones too where it starts far from the data, does not
    converge or ends at a bound. `enforce_feller` asks for the best model whose variance stays positive,
    2κθ >= σ²: where the free optimum is none, one on the edge 2κθ = σ². ValueError for shapes that do not
    fit together, or an `initial` that is not five finite numbers.
    """
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    v = doubles("vols", vols)
    w = np.ones(()) if weights is None else doubles("weights", weights)
    b = Broadcast(forward=f, strike=k, expiry=t, vols=v, weights=w)
    f, k, t, v, w = (b.flat(a) for a in (f, k, t, v, w))
    start = None
    if initial is not None:
        start = doubles("initial", initial)
        if start.shape != (5,) or not bool(np.all(np.isfinite(start))):
            raise ValueError("initial must be five finite numbers: v0, kappa, theta, sigma, rho")
    fit = fit_surface(
        f, k, t, v, w, start, enforce_feller=bool(enforce_feller), threads=thread_count(threads)
    )
    fit.model_vols.shape = b.shape
    return fit


def _check_model(v0: float, kappa: float, theta: float, sigma: float, rho: float) -> None:
    for name, value in (("v0", v0), ("kappa", kappa), ("theta", theta)):
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} must be finite and not negative, not {value}")
    if not (math.isfinite(sigma) and sigma > 0.0):
        raise ValueError(f"sigma must be positive and finite, not {sigma}")
    if not -1.0 < rho < 1.0:
        raise ValueError(f"rho must be within (-1, 1), not {rho}")
