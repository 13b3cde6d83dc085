"""Answers of every kernel but Black's to the same questions, to compare between instruction-set levels."""

from __future__ import annotations

from typing import Any

import numpy as np
from heston_starts import random_models
from kernel_samples import KERNELS
from numpy.typing import NDArray
from published_surfaces import dax_2002

from skewline.cyext import black, heston

#: How far levels may be apart, relative to the answer's scale, where they fuse multiply-adds or the optimum
#: of a fit is flat. All other kernels give the same bits at every level.
TOLERANCES = {
    "portfolio.matrix": 1e-12,
    "sabr.implied_vol": 1e-12,
    "sabr.calibrate_many": 1e-6,
    "heston.price": 1e-12,
    "heston.calibrate": 1e-6,
    "american.greeks": 1e-12,  # of calls that nobody exercises early: Black's
}
NAMES = [*(name for name in KERNELS if not name.startswith("black.")), "heston.calibrate"]


def answers() -> dict[str, dict[str, NDArray[Any]]]:
    """By kernel and field."""
    found = {}
    for name in NAMES:
        if name in KERNELS:
            kernel = KERNELS[name]
            found[name] = kernel(kernel.columns(np.random.default_rng(81), kernel.size))
    found["heston.calibrate"] = _fits()
    return found


def _fits() -> dict[str, NDArray[Any]]:
    """The DAX and noisy surfaces of random models: parameters, sums of squares, what is said of them."""
    dax = dax_2002()
    fits = [heston.calibrate(dax.forward, dax.strike, dax.expiry, dax.vols)]
    rng = np.random.default_rng(82)
    expiry = np.repeat([0.05, 0.25, 1.0], 9)
    strike = np.exp(np.tile(np.linspace(-2.0, 1.6, 9), 3) * 0.25 * np.sqrt(expiry))
    for v0, kappa, theta, sigma, rho in random_models(12, seed=83):
        price = heston.price(
            strike > 1, 1.0, strike, expiry, 1.0, v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho
        )
        vols = black.implied_vol(strike > 1, price, 1.0, strike, expiry, 1.0)
        vols = vols * (1 + 0.005 * rng.standard_normal(vols.size))
        fits.append(heston.calibrate(1.0, strike, expiry, vols))
    told = [fit for fit in fits if fit.converged and not fit.at_bounds]
    return {
        "parameters": np.array([fit.parameters for fit in told]),
        "condition": np.array([fit.condition for fit in told]),
        "sse": np.array([fit.sse for fit in told]),
        "converged": np.array([fit.converged for fit in fits]),
    }


def numbers() -> dict[str, NDArray[Any]]:
    """All of them in one."""
    return {f"{name}/{field}": v for name, fields in answers().items() for field, v in fields.items()}
