"""The errors that the American kernel states, against a scheme far beyond both; round trips of its vols."""

from typing import Any

import numpy as np
import pytest

from skewline.cyext import american, american_dividends, american_rules
from skewline.cyext.arguments import Doubles
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


@pytest.mark.parametrize(("accuracy", "tolerance"), [("fast", 1e-6), ("precise", 4e-9)])
def test_beyond_twelve_and_a_half_deviations_it_is_the_perpetual_option(
    accuracy: american.Accuracy, tolerance: float
) -> None:
    option = (False, 100.0, 110.0, 4.0, 0.03, 0.01)
    below, above = american.price(*option, [6.2499999, 6.25], accuracy=accuracy)
    assert above == pytest.approx(below, rel=0, abs=tolerance * 110.0)
    rising = american.price(*option, np.linspace(6.25, 40.0, 30))
    assert (np.diff(rising) > 0).all()
    assert rising[-1] < 110.0


def two_boundaries(size: int, deviation: Doubles) -> Options:
    """Rates of -5 to 0 %, yields (of calls: the rates) up to 5 % below them."""
    rng = np.random.default_rng(6)
    is_call, expiry = rng.random(size) < 0.5, 10 ** rng.uniform(-1, 1, size)
    high = -rng.uniform(0.001, 0.05, size)
    low = high - rng.uniform(0.001, 0.05, size)
    return {
        "is_call": is_call,
        "spot": 1.0,
        "strike": np.exp(rng.uniform(-2, 2, size) * np.minimum(deviation, 1.0)),
        "expiry": expiry,
        "rate": np.where(is_call, low, high),
        "carry_yield": np.where(is_call, high, low),
        "vol": deviation / np.sqrt(expiry),
    }


@pytest.mark.parametrize(("accuracy", "worst"), [("fast", 4e-5), ("precise", 5e-6)])
@pytest.mark.parametrize(("least", "most"), [(0.02, 1.5), (1.5, 12.0)])
def test_two_boundaries_against_twice_the_nodes_and_steps(
    accuracy: american.Accuracy, worst: float, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(american_dividends._SCHEMES, "finest", (2048, 512, 6.0, 2.5, 10.0))
    options = two_boundaries(32, np.linspace(least, most, 32))
    exact = american_dividends.price(**options, accuracy="finest")  # type: ignore[arg-type]
    error = np.abs(american.price(**options, accuracy=accuracy) - exact) / np.maximum(1, options["strike"])
    assert error.max() < worst


def test_two_boundaries_beyond_twelve_deviations_have_no_price() -> None:
    options = two_boundaries(4, np.array([11.9, 12.1, 19.0, 40.0]))
    assert np.isnan(american.price(**options)).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("yields", "expiries", "vols"),
    [((0.25, 1.0), (10.0, 30.0), (0.001, 0.03)), ((0.25, 1.0), (0.1, 10.0), (0.03, 0.3))],
)
def test_large_yields_keep_the_accuracy_of_the_finest_scheme(
    yields: tuple[float, float],
    expiries: tuple[float, float],
    vols: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(american._SCHEMES, "finest", (american._LAST,) * 4)
    monkeypatch.setitem(american_dividends._SCHEMES, "finest", (2048, 512, 6.0, 2.5, 10.0))
    rng = np.random.default_rng(7)
    size = 200
    is_call = rng.random(size) < 0.5
    expiry, vol = rng.uniform(*expiries, size), rng.uniform(*vols, size)
    # of a call the rate is what its put's yield is
    own, other = rng.uniform(0, 0.5, size), rng.uniform(*yields, size)
    options: Options = {
        "is_call": is_call,
        "spot": 1.0,
        "strike": np.exp(rng.uniform(-2, 2, size) * vol * np.sqrt(expiry)),
        "expiry": expiry,
        "rate": np.where(is_call, other, own),
        "carry_yield": np.where(is_call, own, other),
        "vol": vol,
    }
    exact = american.price(**options, accuracy="finest")  # type: ignore[arg-type]
    error = np.abs(american.price(**options, accuracy="precise") - exact) / np.maximum(1, options["strike"])
    assert error.max() < 1e-8
