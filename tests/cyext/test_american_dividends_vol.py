"""American options with cash dividends: Greeks and implied volatility."""

import numpy as np
import pytest

from skewline.cyext import american
from skewline.cyext import american_dividends as cash
from skewline.cyext.american_dividends import Dividends
from skewline.cyext.status import Status

QUARTERLY = ([0.1, 0.35, 0.6, 0.85], [1.0, 1.0, 1.1, 1.1])
NAMES = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm")


@pytest.mark.parametrize(
    ("is_call", "expiry", "rate", "q", "vol"),
    [(False, 1.0, 0.05, 0.03, 0.25), (True, 1.0, 0.03, 0.07, 0.25), (False, 0.1, 0.05, 0.0, 0.2)],
)
def test_without_dividends_they_are_those_by_the_exercise_boundary(
    is_call: bool, expiry: float, rate: float, q: float, vol: float
) -> None:
    strikes = np.linspace(85.0, 115.0, 31)
    option = (is_call, 100.0, strikes, expiry, rate, q, vol)
    expected, got = american.greeks(*option), cash.greeks(*option, accuracy="precise")
    held = expected.price - np.maximum((100.0 - strikes) * (1 if is_call else -1), 0.0) > 0.2
    for name in NAMES:
        theirs, ours = getattr(expected, name)[held], getattr(got, name)[held]
        share = 5e-3 if name in {"volga", "charm", "vanna"} else 1e-4
        assert np.abs(ours - theirs).max() <= share * np.abs(theirs).max(), name


@pytest.mark.parametrize(
    ("is_call", "strike", "expiry"),
    [(False, 100.0, 1.0), (True, 95.0, 0.7), (False, 110.0, 0.5), (True, 120.0, 2.0)],
)
def test_they_are_the_derivatives_of_the_price(is_call: bool, strike: float, expiry: float) -> None:
    spot, rate, q, vol = 100.0, 0.04, 0.005, 0.3
    times, amounts = np.array(QUARTERLY[0]), QUARTERLY[1]

    def price(s: float = 0.0, t: float = 0.0, r: float = 0.0, v: float = 0.0) -> float:
        option = (is_call, spot + s, strike, expiry - t, rate + r, q, vol + v)
        return float(cash.price(*option, dividends=Dividends(times - t, amounts), accuracy="precise"))

    greeks = cash.greeks(
        *(is_call, spot, strike, expiry, rate, q, vol),
        dividends=Dividends(times, amounts),
        accuracy="precise",
    )
    h = 0.2
    here = price()
    assert float(greeks.price) == pytest.approx(here, abs=1e-12)
    assert float(greeks.delta) == pytest.approx((price(s=h) - price(s=-h)) / (2 * h), abs=2e-5)
    assert float(greeks.gamma) == pytest.approx((price(s=h) - 2 * here + price(s=-h)) / h**2, abs=1e-4)
    assert float(greeks.vega) == pytest.approx((price(v=3e-3) - price(v=-3e-3)) / 6e-3, rel=1e-3)
    assert float(greeks.rho) == pytest.approx((price(r=1e-3) - price(r=-1e-3)) / 2e-3, rel=1e-3)
    assert float(greeks.theta) == pytest.approx((price(t=2e-3) - price(t=-2e-3)) / 4e-3 / 365, rel=5e-3)
    h, k = 1.0, 0.01
    bend = (price(v=k) - 2 * here + price(v=-k)) / k**2
    assert float(greeks.volga) == pytest.approx(bend, rel=0.02, abs=1.0)
    cross = price(s=h, v=k) - price(s=h, v=-k) - price(s=-h, v=k) + price(s=-h, v=-k)
    assert float(greeks.vanna) == pytest.approx(cross / (4 * h * k), rel=0.02, abs=5e-3)
    k = 0.005
    drift = price(s=h, t=k) - price(s=h, t=-k) - price(s=-h, t=k) + price(s=-h, t=-k)
    assert float(greeks.charm) == pytest.approx(drift / (4 * h * k) / 365, rel=0.05, abs=1e-5)


def test_bad_and_expired_elements() -> None:
    greeks = cash.greeks(
        *(True, [100.0, 100.0, 90.0, np.nan], 95.0, [0.0, 1.0, 0.0, 1.0], 0.02, 0.01, [0.2, -0.1, 0.2, 0.2]),
        dividends=Dividends(*QUARTERLY),
    )
    assert greeks.price[[0, 2]].tolist() == [5.0, 0.0]
    assert greeks.delta[[0, 2]].tolist() == [1.0, 0.0]
    for name in NAMES:
        assert np.isnan(getattr(greeks, name)).tolist() == [False, True, False, True], name


def test_implied_vol_gives_back_the_price() -> None:
    rng = np.random.default_rng(9)
    n = 200
    is_call, strike = rng.uniform(size=n) < 0.5, rng.uniform(60, 160, n)
    expiry, vol = rng.choice([0.05, 0.25, 0.5, 1.0], n), rng.uniform(0.1, 0.8, n)
    rate = rng.choice([-0.01, 0.0, 0.04], n)
    dividends = Dividends(*QUARTERLY)
    price = cash.price(is_call, 100.0, strike, expiry, rate, 0.0, vol, dividends=dividends)
    option = (100.0, strike, expiry, rate, 0.0)
    found = cash.implied_vol_with_status(is_call, price, *option, dividends=dividends)
    assert (np.isnan(found.vol) == (found.status != Status.OK)).all()
    assert set(found.status.tolist()) <= {Status.OK, Status.BELOW_INTRINSIC}
    worth = price - cash.price(is_call, *option, 0.0, dividends=dividends)
    assert (found.status[worth > 1e-6] == Status.OK).all()
    back = cash.price(is_call, *option, found.vol, dividends=dividends)
    known = worth > 0.01
    assert known.sum() > 150
    assert back[known] == pytest.approx(price[known], rel=1e-8)
    assert found.vol[known] == pytest.approx(vol[known], abs=1e-6)
    again = american.implied_vol(is_call[:9], price[:9], 100.0, strike[:9], expiry[:9], rate[:9], 0.0,
                                 dividends=dividends, threads=2)  # fmt: skip
    assert np.array_equal(again, found.vol[:9], equal_nan=True)


@pytest.mark.parametrize(
    ("price", "spot", "strike", "expiry", "status"),
    [
        (5.0, 100.0, 100.0, 1.0, Status.OK),
        (30.0, 70.0, 100.0, 1.0, Status.BELOW_INTRINSIC),
        (-1.0, 100.0, 100.0, 1.0, Status.BELOW_INTRINSIC),
        (100.0, 100.0, 100.0, 1.0, Status.ABOVE_BOUND),
        (np.nan, 100.0, 100.0, 1.0, Status.NON_FINITE),
        (5.0, np.inf, 100.0, 1.0, Status.NON_FINITE),
        (5.0, 100.0, 100.0, 0.0, Status.EXPIRED),
        (5.0, 100.0, 100.0, -1.0, Status.EXPIRED),
        (5.0, 0.0, 100.0, 1.0, Status.OUT_OF_DOMAIN),
    ],
)
def test_every_failure_has_its_status(
    price: float, spot: float, strike: float, expiry: float, status: Status
) -> None:
    dividends = Dividends([0.5], [2.0])
    option = (False, price, spot, strike, expiry, 0.03, 0.01)
    found = cash.implied_vol_with_status(*option, dividends=dividends)
    assert Status(int(found.status)) is status
    assert american.implied_vol_status(*option, dividends=dividends) == status
    assert bool(np.isnan(found.vol)) is (status is not Status.OK)
