import numpy as np
import pytest

from skewline.servers.calibration.parity import ParityPairs, forward_given, parity_line

STRIKES = np.arange(80.0, 121.0, 2.0)


def pairs(forward: float, discount: float, *, noise: float = 0.0, seed: int = 0) -> ParityPairs:
    put = np.full(STRIKES.size, 5.0)
    call = put + discount * (forward - STRIKES)
    call = call + noise * np.random.default_rng(seed).standard_normal(STRIKES.size)
    return ParityPairs(STRIKES, call, put, np.full(STRIKES.size, 0.05))


def test_forward_and_discount_are_read_off_exact_pairs() -> None:
    line = parity_line(pairs(101.3, 0.97))
    assert line is not None
    assert line.forward == pytest.approx(101.3, abs=1e-9)
    assert line.discount == pytest.approx(0.97, abs=1e-12)


def test_an_outlier_does_not_move_the_forward() -> None:
    clean = pairs(101.3, 0.97, noise=0.01)
    call = clean.call.copy()
    call[3] += 4.0
    spoilt = parity_line(ParityPairs(clean.strike, call, clean.put, clean.half_width))
    assert spoilt is not None
    assert spoilt.forward == pytest.approx(101.3, abs=0.02)


def test_standard_errors_say_how_far_noise_moves_the_estimates() -> None:
    fits = [parity_line(pairs(101.3, 0.97, noise=0.05, seed=seed)) for seed in range(200)]
    forwards = np.array([fit.forward for fit in fits if fit is not None])
    discounts = np.array([fit.discount for fit in fits if fit is not None])
    first = fits[0]
    assert first is not None
    assert forwards.std() == pytest.approx(first.forward_stderr, rel=0.5)
    assert discounts.std() == pytest.approx(first.discount_stderr, rel=0.5)


def test_two_pairs_make_no_line() -> None:
    assert parity_line(pairs(100.0, 0.99).at(np.array([3, 4]))) is None


def test_a_line_that_rises_with_the_strike_is_none() -> None:
    turned = pairs(100.0, 0.99)
    assert parity_line(ParityPairs(STRIKES, turned.put, turned.call, turned.half_width)) is None


def test_with_the_discount_known_one_pair_is_enough() -> None:
    forward, stderr = forward_given(0.97, pairs(101.3, 0.97).at(np.array([10])))
    assert forward == pytest.approx(101.3)
    assert stderr > 0.0
