"""American options with cash dividends: prices."""

import numpy as np
import one_dividend
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.cyext import american, black
from skewline.cyext import american_dividends as cash
from skewline.cyext.american_dividends import Dividends

STRIKES = np.linspace(70.0, 140.0, 15)
QUARTERLY = Dividends([0.1, 0.35, 0.6, 0.85], [1.0, 1.0, 1.1, 1.1])


@pytest.mark.parametrize(("accuracy", "tolerance"), [("fast", 1.5e-6), ("precise", 2e-7)])
@pytest.mark.parametrize(
    ("is_call", "expiry", "rate", "q", "vol"),
    [
        *((False, 1.0, 0.05, 0.03, 0.25), (False, 0.25, 0.05, 0.0, 0.15), (False, 3.0, 0.06, 0.0, 0.4)),
        *((False, 0.02, 0.05, 0.0, 0.3), (True, 1.0, 0.05, 0.0, 0.2), (True, 0.5, 0.02, 0.06, 0.3)),
    ],
)
def test_without_dividends_it_is_the_price_by_the_exercise_boundary(
    accuracy: cash.Accuracy, tolerance: float, is_call: bool, expiry: float, rate: float, q: float, vol: float
) -> None:
    option = (is_call, 100.0, STRIKES, expiry, rate, q, vol)
    expected = american.price(*option, accuracy="precise")
    assert cash.price(*option, accuracy=accuracy) == pytest.approx(expected, rel=0, abs=100 * tolerance)


@pytest.mark.parametrize(("accuracy", "tolerance"), [("fast", 1e-6), ("precise", 2e-7)])
@pytest.mark.parametrize(
    ("expiry", "rate", "vol", "time", "amount"),
    [
        *((1.0, 0.05, 0.25, 0.5, 4.0), (0.5, 0.05, 0.2, 0.49, 4.0), (0.5, 0.0, 0.2, 0.002, 2.0)),
        *((2.0, 0.02, 0.5, 1.5, 7.0), (0.25, 0.1, 0.12, 0.1, 1.0), (1.0, 0.03, 0.3, 0.5, 40.0)),
    ],
)
def test_a_call_over_one_dividend(
    accuracy: cash.Accuracy,
    tolerance: float,
    expiry: float,
    rate: float,
    vol: float,
    time: float,
    amount: float,
) -> None:
    expected = [one_dividend.option(True, k, expiry, rate, vol, time, amount, exercise=True) for k in STRIKES]
    got = cash.price(
        *(True, 100.0, STRIKES, expiry, rate, 0.0, vol),
        dividends=Dividends([time], [amount]),
        accuracy=accuracy,
    )
    expected = np.maximum(expected, 100.0 - STRIKES).tolist()
    assert got == pytest.approx(expected, rel=0, abs=100 * tolerance)


@pytest.mark.parametrize("is_call", [True, False])
def test_worth_no_less_than_the_european_option(is_call: bool) -> None:
    for time, amount in ((0.1, 2.0), (0.5, 5.0), (0.95, 30.0)):
        least = [
            one_dividend.option(is_call, k, 1.0, 0.04, 0.3, time, amount, exercise=False) for k in STRIKES
        ]
        got = cash.price(
            *(is_call, 100.0, STRIKES, 1.0, 0.04, 0.0, 0.3), dividends=Dividends([time], [amount])
        )
        assert (got >= np.array(least) - 1e-4).all()


def test_a_put_that_nobody_exercises_is_the_european_one() -> None:
    for time, amount in ((0.1, 2.0), (0.5, 5.0), (0.95, 30.0)):
        expected = [
            one_dividend.option(False, k, 1.0, -0.01, 0.3, time, amount, exercise=False) for k in STRIKES
        ]
        got = cash.price(
            *(False, 100.0, STRIKES, 1.0, -0.01, 0.0, 0.3), dividends=Dividends([time], [amount])
        )
        assert got == pytest.approx(expected, rel=0, abs=1e-4)


def test_a_call_falls_and_a_put_rises_with_every_dividend() -> None:
    amounts = np.linspace(0.0, 12.0, 25)
    for is_call in (True, False):
        prices = np.array(
            [
                cash.price(
                    *(is_call, 100.0, STRIKES, 0.8, 0.03, 0.01, 0.25),
                    dividends=Dividends([0.2, 0.6], [1.0, amount]),
                )
                for amount in amounts
            ]
        )
        rises = np.diff(prices, axis=0) * (-1 if is_call else 1)
        assert (rises >= -1e-4).all()
        assert (rises[:, 4:10] > 0.01).any()


def test_a_call_deep_in_the_money_is_exercised_before_the_dividend() -> None:
    soon = Dividends([0.01], [5.0])
    greeks = cash.greeks(True, 100.0, 60.0, 0.5, 0.01, 0.02, 0.2, dividends=soon)
    assert float(greeks.price) == 40.0
    assert float(greeks.delta) == 1.0
    assert float(greeks.gamma) == float(greeks.vega) == float(greeks.theta) == 0.0
    # without a yield it pays to wait until the dividend: interest on the strike, and the put that is left
    waiting = float(cash.price(True, 100.0, 60.0, 0.5, 0.01, 0.0, 0.2, dividends=soon))
    assert waiting == pytest.approx(100.0 - 60.0 * np.exp(-0.01 * 0.01), abs=1e-4)


def test_dividends_of_the_past_and_after_expiry_do_not_count() -> None:
    option = (False, 100.0, STRIKES, 0.5, 0.03, 0.01, 0.25)
    none = cash.price(*option)
    for times, amounts in (([0.0], [9.0]), ([0.5000001], [9.0]), ([0.2], [0.0]), ([], [])):
        assert np.array_equal(cash.price(*option, dividends=Dividends(times, amounts)), none)


def test_a_dividend_at_expiry_is_paid_before_the_payoff() -> None:
    # at rate 0 nobody exercises the put before; its payoff is that on a strike higher by the dividend
    at_end = Dividends([0.5], [3.0])
    put = cash.price(False, 100.0, STRIKES, 0.5, 0.0, 0.0, 0.25, dividends=at_end)
    assert put == pytest.approx(black.price(False, 100.0, STRIKES + 3.0, 0.5, 1.0, 0.25), abs=1e-4)
    # the call is exercised while the dividend is still in the price
    call = cash.price(True, 100.0, STRIKES, 0.5, 0.0, 0.0, 0.25, dividends=at_end)
    assert call == pytest.approx(black.price(True, 100.0, STRIKES, 0.5, 1.0, 0.25), abs=1e-4)


def test_a_dividend_above_the_price_takes_all_of_it() -> None:
    ruin = Dividends([0.5], [1e4])
    put = cash.price(False, 100.0, STRIKES, 1.0, 0.0, 0.0, 0.25, dividends=ruin)
    assert put == pytest.approx(STRIKES, abs=1e-4)
    put = cash.price(False, 100.0, STRIKES, 1.0, 0.04, 0.0, 0.25, dividends=ruin)
    assert put == pytest.approx(STRIKES * np.exp(-0.02), abs=1e-4)
    call = cash.price(True, 100.0, STRIKES, 1.0, 0.04, 0.0, 0.25, dividends=ruin, accuracy="precise")
    expected = black.price(True, 100.0 * np.exp(0.02), STRIKES, 0.5, np.exp(-0.02), 0.25)
    assert call == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("dividends", [None, QUARTERLY])
def test_without_volatility_the_best_time_is_known(dividends: Dividends | None) -> None:
    for rate, q in ((0.05, 0.0), (0.03, 0.06), (-0.02, -0.04), (0.0, 0.0)):
        for is_call in (True, False):
            option = (is_call, 100.0, STRIKES, 1.0, rate, q)
            certain = cash.price(*option, 0.0, dividends=dividends)
            assert cash.price(*option, 1e-3, dividends=dividends) == pytest.approx(certain, abs=0.05)
            assert (certain >= np.maximum(100.0 - STRIKES if is_call else STRIKES - 100.0, 0.0)).all()


@settings(max_examples=60, deadline=None)
@given(
    is_call=st.booleans(),
    strike=st.floats(20, 500),
    expiry=st.floats(0.001, 5),
    rate=st.floats(-0.05, 0.15),
    q=st.floats(-0.05, 0.15),
    vol=st.floats(0.005, 2),
    time=st.floats(0.001, 5),
    amount=st.floats(0, 150),
)
def test_never_below_intrinsic_nor_above_the_bound(
    is_call: bool, strike: float, expiry: float, rate: float, q: float, vol: float, time: float, amount: float
) -> None:
    dividends = Dividends([time, time + 0.1], [amount, 1.0])
    price = float(cash.price(is_call, 100.0, strike, expiry, rate, q, vol, dividends=dividends))
    seen = (time <= expiry and amount > 0.0) or time + 0.1 <= expiry
    if is_call and seen and vol * np.sqrt(expiry) > 2.0:
        assert np.isnan(price)
        return
    assert price >= max(100.0 - strike if is_call else strike - 100.0, 0.0)
    bound = 100.0 * max(1.0, np.exp(-q * expiry)) if is_call else strike * max(1.0, np.exp(-rate * expiry))
    assert price <= bound * (1 + 1e-5)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(("rate", "q"), [(0.04, 0.0), (-0.01, -0.03), (-0.03, -0.01), (0.02, -0.03)])
def test_rises_with_volatility_from_what_it_is_worth_without(is_call: bool, rate: float, q: float) -> None:
    vols = np.array([0.0, 0.01, 0.03, *np.linspace(0.05, 1.0, 30)])[:, None]
    prices = cash.price(is_call, 100.0, STRIKES, 1.0, rate, q, vols, dividends=QUARTERLY)
    assert (np.diff(prices, axis=0) >= -1e-4).all()


def test_an_option_does_not_depend_on_its_neighbours_nor_on_threads() -> None:
    rng = np.random.default_rng(17)
    n = 150
    is_call, strike = rng.uniform(size=n) < 0.5, rng.uniform(70, 140, n)
    expiry, vol = rng.choice([0.05, 0.25, 0.5, 1.0, 1.7], n), rng.uniform(0.1, 0.8, n)
    strike[::31], vol[3::37], expiry[5::41], expiry[7::43] = -1.0, np.nan, 0.0, -1.0
    option = (is_call, 100.0, strike, expiry, 0.03, 0.0, vol)
    prices = cash.price(*option, dividends=QUARTERLY)
    assert (np.isnan(prices) == (np.isnan(vol) | (strike < 0.0) | (expiry < 0.0))).all()
    assert np.array_equal(prices, cash.price(*option, dividends=QUARTERLY, threads=3), equal_nan=True)
    for i in (0, 5, 48, 88, 149):
        alone = cash.price(
            *(bool(is_call[i]), 100.0, strike[i], expiry[i], 0.03, 0.0, vol[i]), dividends=QUARTERLY
        )
        assert np.array_equal(alone, prices[i], equal_nan=True)
    assert np.array_equal(prices[::-1], cash.price(
        *(is_call[::-1], 100.0, strike[::-1], expiry[::-1], 0.03, 0.0, vol[::-1]), dividends=QUARTERLY
    ), equal_nan=True)  # fmt: skip


@pytest.mark.parametrize(
    ("times", "amounts", "message"),
    [
        ([0.1, 0.2], [1.0], "dividends.amounts must have 2 elements, not 1"),
        ([0.2, 0.1], [1.0, 1.0], "dividends.times must ascend"),
        ([0.1, 0.2], [1.0, -1.0], r"dividends.amounts\[1\] must be finite and >= 0, not -1"),
        ([-0.1], [1.0], r"dividends.times\[0\] must be finite and >= 0"),
        ([np.nan], [1.0], r"dividends.times\[0\] must be finite and >= 0, not nan"),
        ([0.1], [np.inf], r"dividends.amounts\[0\] must be finite and >= 0, not inf"),
        ([[0.1]], [1.0], "dividends.times must be one-dimensional"),
        (np.linspace(0.1, 1, 256), np.ones(256), "dividends.times must have at most 255 elements"),
    ],
)
def test_a_bad_schedule_is_refused(times: object, amounts: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dividends(times, amounts)  # type: ignore[arg-type]


def test_misuse_is_refused() -> None:
    with pytest.raises(TypeError, match="dividends must be Dividends, not list"):
        cash.price(True, 100.0, 100.0, 1.0, 0.0, 0.0, 0.2, dividends=[(0.5, 1.0)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="accuracy must be one of fast, precise, not 'best'"):
        cash.price(True, 100.0, 100.0, 1.0, 0.0, 0.0, 0.2, accuracy="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="do not broadcast"):
        cash.price(True, [100.0, 101.0], [100.0, 90.0, 80.0], 1.0, 0.0, 0.0, 0.2)
    assert cash.price(True, [], 100.0, 1.0, 0.0, 0.0, 0.2).shape == (0,)
