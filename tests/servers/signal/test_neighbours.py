import numpy as np
import pytest

from skewline.servers.signal.neighbours import fair_vols

X = np.linspace(-0.2, 0.2, 31)
MODEL = 0.2 - 0.3 * X + 0.5 * X**2


def test_what_is_common_to_neighbours_is_the_models_error_not_a_mispricing() -> None:
    market = MODEL + 0.01 + 0.05 * X - 0.4 * X**2
    fair = fair_vols(X, market, MODEL, a_side=6, least_error=1e-4)
    assert fair.vol[fair.known] == pytest.approx(market[fair.known], abs=1e-8)


def test_a_quote_cannot_vouch_for_itself() -> None:
    market = MODEL.copy()
    market[15] += 0.02
    fair = fair_vols(X, market, MODEL, a_side=6, least_error=1e-4)
    assert fair.vol[15] == pytest.approx(MODEL[15], abs=1e-6)
    # Nor does it spoil its neighbours.
    assert fair.vol[14] == pytest.approx(MODEL[14], abs=2e-3)


def test_noise_of_the_neighbours_is_the_error() -> None:
    noise = 0.001 * np.random.default_rng(3).standard_normal(X.size)
    fair = fair_vols(X, MODEL + noise, MODEL, a_side=6, least_error=1e-6)
    assert 0.0003 < np.median(fair.error[fair.known]) < 0.003


def test_too_few_neighbours_on_a_side_say_nothing() -> None:
    fair = fair_vols(X, MODEL, MODEL, a_side=6, least_error=1e-4)
    assert not fair.known[:3].any()
    assert not fair.known[-3:].any()
    assert fair.known[3:-3].all()
    assert not fair_vols(X[:4], MODEL[:4], MODEL[:4], a_side=6, least_error=1e-4).known.any()
