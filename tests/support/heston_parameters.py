"""The five parameters of a Heston model as the keyword arguments of `heston.price`."""

from collections.abc import Iterable
from typing import TypedDict


class HestonParameters(TypedDict):
    """In the order of `heston.calibrate`'s warm start."""

    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float


def model(parameters: Iterable[float]) -> HestonParameters:
    """From (v0, kappa, theta, sigma, rho)."""
    v0, kappa, theta, sigma, rho = (float(x) for x in parameters)
    return HestonParameters(v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho)
