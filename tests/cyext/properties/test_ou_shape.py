"""What a change of units does to an Ornstein–Uhlenbeck fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.cyext import ou


def series(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.zeros(120)
    for i in range(1, 120):
        x[i] = 0.85 * x[i - 1] + rng.standard_normal()
    return x


@given(seed=st.integers(0, 20), scale=st.floats(1e-6, 1e6), level=st.floats(-1e3, 1e3), sign=st.booleans())
def test_affine_change_of_the_series(seed: int, scale: float, level: float, sign: bool) -> None:
    factor = scale if sign else -scale
    x = series(seed)
    here, there = ou.fit(x, 0.1), ou.fit(factor * (x + level), 0.1)
    digits = 1e-13 * (1 + abs(level)) + 1e-11
    assert there.kappa == pytest.approx(here.kappa, rel=digits)
    assert there.sigma == pytest.approx(scale * here.sigma, rel=digits)
    assert there.mean == pytest.approx(factor * (here.mean + level), rel=digits, abs=scale * digits)
    assert there.stderr.kappa == pytest.approx(here.stderr.kappa, rel=digits)
    moved = here.log_likelihood - 119 * np.log(scale)
    assert there.log_likelihood == pytest.approx(moved, rel=1e-10, abs=1e-8)


@given(seed=st.integers(0, 20), clock=st.floats(1e-4, 1e4))
def test_change_of_the_unit_of_time(seed: int, clock: float) -> None:
    x = series(seed)
    here, there = ou.fit(x, 0.1), ou.fit(x, 0.1 * clock)
    assert there.kappa * clock == pytest.approx(here.kappa, rel=1e-12)
    assert there.sigma * np.sqrt(clock) == pytest.approx(here.sigma, rel=1e-12)
    assert there.half_life == pytest.approx(here.half_life * clock, rel=1e-12)
    assert there.mean == pytest.approx(here.mean, rel=1e-12)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-12)


@given(seed=st.integers(0, 20))
def test_time_reversed_it_is_the_same_process(seed: int) -> None:
    """Stationary and reversible: only the first and last observation play another part."""
    x = series(seed)
    forwards, backwards = ou.fit(x, 0.1), ou.fit(x[::-1], 0.1)
    assert backwards.kappa == pytest.approx(forwards.kappa, rel=0.3)
    assert backwards.sigma == pytest.approx(forwards.sigma, rel=0.1)
