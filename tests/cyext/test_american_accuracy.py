"""The errors that the American kernel states, against a scheme far beyond both; round trips of its vols."""

from typing import Any

import numpy as np
import pytest

from skewline.cyext import american, american_rules
from skewline.cyext.status import Status

Options = dict[str, Any]


@pytest.fixture
def finest(monkeypatch: pytest.MonkeyPatch) -> american.Accuracy:
    """An accuracy of its own: 24 points, 48-point rules, 12 sweeps."""
    scheme = american_rules.scheme([(14, 14, 8), (24, 48, 4)], 48, 1e-3)
    monkeypatch.setitem(american._SCHEMES, "finest", (scheme,) * 4)
    return "finest"  # type: ignore[return-value]


def ordinary(size: int, seed: int) -> Options:
    """Vol 5–100 %, a day to three years, rates and yields up to 10 %, up to two deviations from the money."""
    rng = np.random.default_rng(seed)
    vol, expiry = 10 ** rng.uniform(-1.3, 0, size), 10 ** rng.uniform(-2.56, 0.477, size)
    return {
        "is_call": rng.random(size) < 0.5,
        "spot": 1.0,
        "strike": np.exp(rng.uniform(-2, 2, size) * vol * np.sqrt(expiry)),
        "expiry": expiry,
        "rate": rng.uniform(0, 0.1, size),
        "carry_yield": np.where(rng.random(size) < 0.2, 0.0, rng.uniform(0, 0.1, size)),
        "vol": vol,
    }


@pytest.mark.parametrize(("accuracy", "nearly_all", "worst"), [("fast", 1e-6, 4e-6), ("precise", 2e-9, 1e-8)])
def test_stated_errors_hold_over_the_ordinary_range(
    accuracy: american.Accuracy, nearly_all: float, worst: float, finest: american.Accuracy
) -> None:
    options = ordinary(3000, 3)
    exact = american.price(**options, accuracy=finest)
    error = np.abs(american.price(**options, accuracy=accuracy) - exact) / np.maximum(1, options["strike"])
    assert np.quantile(error, 0.99) < nearly_all
    assert error.max() < worst


@pytest.mark.parametrize("accuracy", ["fast", "precise"])
def test_a_vol_prices_back_with_the_accuracy_that_implied_it(accuracy: american.Accuracy) -> None:
    options = ordinary(1000, 4)
    vol = options.pop("vol")
    price = american.price(**options, vol=vol, accuracy=accuracy)
    found = american.implied_vol_with_status(price=price, **options, accuracy=accuracy)
    ok = found.status == Status.OK
    again = american.price(**options, vol=found.vol, accuracy=accuracy)
    assert np.abs(again - price)[ok].max() < 1e-10
    sign = np.where(options["is_call"], 1, -1)
    far = price > np.maximum(sign * (1 - options["strike"]), 0) + 1e-4
    assert ok[far].all()
    assert found.vol[far] == pytest.approx(vol[far], rel=1e-8)


def test_an_option_is_priced_as_if_it_were_alone() -> None:
    options = ordinary(70, 5)
    together = american.price(**options)
    alone = [
        float(american.price(**{n: c if n == "spot" else c[i] for n, c in options.items()}))
        for i in range(70)
    ]
    assert together.tolist() == alone


def test_beyond_ten_deviations_it_is_the_perpetual_option_to_four_millionths_of_the_strike() -> None:
    below, above = american.price(False, 100.0, 110.0, 4.0, 0.03, 0.01, [4.9999999, 5.0])
    assert above == pytest.approx(below, abs=4e-6 * 110.0)
    rising = american.price(False, 100.0, 110.0, 4.0, 0.03, 0.01, np.linspace(5.0, 40.0, 30))
    assert (np.diff(rising) > 0).all()
    assert rising[-1] < 110.0
