"""Random starts and random models for Heston's calibration."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def random_starts(count: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """(v0, κ, θ, σ, ρ) over everything that a fit may be started from, log-uniform but for ρ."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        logs = rng.uniform([-3, -1, -3, -1], [0, 1.5, 0, 0.8])
        yield np.append(10.0**logs, rng.uniform(-0.95, 0.95))


def random_models(count: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Models such as markets have: Feller's condition holds for some and fails by far for others."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield rng.uniform([0.005, 0.3, 0.01, 0.15, -0.95], [0.3, 12.0, 0.25, 3.0, 0.5])
