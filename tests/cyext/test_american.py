import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.cyext import american, black
from skewline.cyext.status import Status

# Longstaff & Schwartz (2001), table 1: finite differences, K 40, r 6 %, q 0: (S, vol, T, American put)
LONGSTAFF_SCHWARTZ = [
    *((36, 0.2, 1, 4.478), (36, 0.2, 2, 4.840), (36, 0.4, 1, 7.101), (36, 0.4, 2, 8.508)),
    *((38, 0.2, 1, 3.250), (38, 0.2, 2, 3.745), (38, 0.4, 1, 6.148), (38, 0.4, 2, 7.670)),
    *((40, 0.2, 1, 2.314), (40, 0.2, 2, 2.885), (40, 0.4, 1, 5.312), (40, 0.4, 2, 6.920)),
    *((42, 0.2, 1, 1.617), (42, 0.2, 2, 2.212), (42, 0.4, 1, 4.582), (42, 0.4, 2, 6.248)),
    *((44, 0.2, 1, 1.110), (44, 0.2, 2, 1.690), (44, 0.4, 1, 3.948), (44, 0.4, 2, 5.647)),
]


def binomial(
    is_call: bool, spot: float, strike: float, expiry: float, rate: float, q: float, vol: float, steps: int
) -> float:
    """Cox–Ross–Rubinstein, averaged over two neighbouring depths."""
    total = 0.0
    for n in (steps, steps + 1):
        dt = expiry / n
        up = np.exp(vol * np.sqrt(dt))
        p = (np.exp((rate - q) * dt) - 1 / up) / (up - 1 / up)
        sign = 1 if is_call else -1
        prices = spot * up ** np.arange(-n, n + 1.0)
        value = np.maximum(sign * (prices[::2] - strike), 0)
        for i in range(n - 1, -1, -1):
            held = np.exp(-rate * dt) * (p * value[1:] + (1 - p) * value[:-1])
            value = np.maximum(held, sign * (prices[n - i : n + i + 1 : 2] - strike))
        total += 0.5 * float(value[0])
    return total


def european(
    is_call: bool, spot: float, strike: float, expiry: float, rate: float, q: float, vol: float
) -> float:
    forward = spot * np.exp((rate - q) * expiry)
    return float(black.price(is_call, forward, strike, expiry, np.exp(-rate * expiry), vol))


@pytest.mark.parametrize(("accuracy", "tolerance"), [("fast", 1e-6), ("precise", 3e-9)])
def test_andersen_lake_offengenden(accuracy: american.Accuracy, tolerance: float) -> None:
    # (2016), via QuantLib testAndersenLakeHighPrecisionExample: S = K = 100, q 5 %, vol 25 %, one year
    prices = american.price(False, 100.0, 100.0, 1.0, [0.05, 0.075], 0.05, 0.25, accuracy=accuracy)
    assert prices == pytest.approx([9.569445298914017, 8.584935739111408], abs=tolerance)


def test_longstaff_schwartz() -> None:
    spot, vol, expiry, price = np.array(LONGSTAFF_SCHWARTZ, dtype=float).T
    assert american.price(False, spot, 40.0, expiry, 0.06, 0.0, vol) == pytest.approx(price, abs=0.01)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(
    ("rate", "q"),
    [
        *((0.05, 0.0), (0.05, 0.03), (0.02, 0.08), (0.05, 0.05), (0.0, 0.03), (0.03, -0.02)),
        *((0.0, 0.0), (0.0, -0.02), (-0.01, 0.02), (-0.01, -0.03), (-0.03, -0.01), (-0.02, -0.02)),
    ],
)
def test_any_signs_of_rate_and_yield_match_a_tree(is_call: bool, rate: float, q: float) -> None:
    for strike in (80.0, 100.0, 125.0):
        for vol in (0.15, 0.5):
            expected = binomial(is_call, 100.0, strike, 1.5, rate, q, vol, 800)
            got = float(american.price(is_call, 100.0, strike, 1.5, rate, q, vol))
            assert got == pytest.approx(expected, abs=0.006), (strike, vol)
            assert got >= european(is_call, 100.0, strike, 1.5, rate, q, vol) - 1e-9


@settings(max_examples=150, deadline=None)
@given(
    is_call=st.booleans(),
    strike=st.floats(20, 500),
    expiry=st.floats(0.001, 5),
    rate=st.floats(-0.05, 0.15),
    q=st.floats(-0.05, 0.15),
    vol=st.floats(0.005, 2),
)
def test_never_below_the_european_or_intrinsic_value_nor_above_the_bound(
    is_call: bool, strike: float, expiry: float, rate: float, q: float, vol: float
) -> None:
    price = float(american.price(is_call, 100.0, strike, expiry, rate, q, vol))
    assert price >= max(100.0 - strike if is_call else strike - 100.0, 0.0)
    assert price >= european(is_call, 100.0, strike, expiry, rate, q, vol) - 1e-12 * max(100.0, strike)
    bound = 100.0 * max(1.0, np.exp(-q * expiry)) if is_call else strike * max(1.0, np.exp(-rate * expiry))
    assert price <= bound + 1e-4


def test_rises_with_vol_expiry_and_moneyness() -> None:
    vols = american.price(False, 100.0, 105.0, 1.0, 0.04, 0.01, np.linspace(0.03, 1.0, 80))
    assert (np.diff(vols) >= -1e-5).all()
    expiries = american.price(False, 100.0, 105.0, np.linspace(0.01, 3.0, 80), 0.04, 0.01, 0.3)
    assert (np.diff(expiries) >= -1e-5).all()
    strikes = american.price(
        False, 100.0, np.linspace(60, 180, 200), 1.0, 0.04, 0.01, 0.3, accuracy="precise"
    )
    assert (np.diff(strikes) >= 0).all()
    assert (np.diff(strikes, 2) >= -1e-6).all()


def test_a_call_without_yield_is_european() -> None:
    strikes = np.linspace(60, 160, 21)
    prices = american.price(True, 100.0, strikes, 1.0, 0.05, 0.0, 0.3)
    expected = black.price(True, 100 * np.exp(0.05), strikes, 1.0, np.exp(-0.05), 0.3)
    assert prices == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("is_call", "strike", "expiry"),
    [(False, 100.0, 1.0), (True, 95.0, 0.3), (False, 110.0, 0.1), (True, 120.0, 2.0)],
)
def test_greeks_are_the_derivatives_of_the_price(is_call: bool, strike: float, expiry: float) -> None:
    spot, rate, q, vol = 100.0, 0.04, 0.025, 0.3

    def price(s: float = 0.0, t: float = 0.0, r: float = 0.0, v: float = 0.0) -> float:
        return float(
            american.price(is_call, spot + s, strike, expiry + t, rate + r, q, vol + v, accuracy="precise")
        )

    greeks = american.greeks(is_call, spot, strike, expiry, rate, q, vol)
    h = 0.02
    assert float(greeks.price) == price()
    assert float(greeks.delta) == pytest.approx((price(s=h) - price(s=-h)) / (2 * h), abs=1e-6)
    assert float(greeks.gamma) == pytest.approx((price(s=h) - 2 * price() + price(s=-h)) / h**2, abs=1e-5)
    assert float(greeks.vega) == pytest.approx((price(v=1e-3) - price(v=-1e-3)) / 2e-3, rel=1e-4)
    assert float(greeks.rho) == pytest.approx((price(r=1e-4) - price(r=-1e-4)) / 2e-4, rel=1e-4)
    assert float(greeks.theta) == pytest.approx(-(price(t=1e-3) - price(t=-1e-3)) / 2e-3 / 365, rel=1e-3)
    bend = (price(v=0.01) - 2 * price() + price(v=-0.01)) / 0.01**2
    assert float(greeks.volga) == pytest.approx(bend, rel=0.02, abs=0.05)
    cross = price(s=h, v=h) - price(s=h, v=-h) - price(s=-h, v=h) + price(s=-h, v=-h)
    assert float(greeks.vanna) == pytest.approx(cross / (4 * h**2), rel=0.02, abs=2e-3)
    drift = price(s=h, t=h) - price(s=h, t=-h) - price(s=-h, t=h) + price(s=-h, t=-h)
    assert float(greeks.charm) == pytest.approx(-drift / (4 * h**2) / 365, rel=0.03, abs=2e-6)


def test_exercised_at_once_it_is_the_intrinsic_value() -> None:
    greeks = american.greeks([False, True], [50.0, 200.0], 100.0, 1.0, [0.05, 0.0], [0.0, 0.05], 0.2)
    assert greeks.price.tolist() == [50.0, 100.0]
    assert greeks.delta.tolist() == pytest.approx([-1.0, 1.0], abs=1e-15)
    for name in ("gamma", "vega", "theta", "rho", "vanna", "volga", "charm"):
        assert getattr(greeks, name).tolist() == [0.0, 0.0], name


def test_implied_vol_gives_back_the_vol() -> None:
    rng = np.random.default_rng(9)
    size = 300
    is_call = rng.random(size) < 0.5
    strike = rng.uniform(70, 140, size)
    expiry = rng.integers(2, 700, size) / 365
    vol = rng.uniform(0.12, 0.9, size)
    rate, q = 0.02, 0.015
    price = american.price(is_call, 100.0, strike, expiry, rate, q, vol)
    found = american.implied_vol_with_status(is_call, price, 100.0, strike, expiry, rate, q)
    intrinsic = np.maximum(np.where(is_call, 100 - strike, strike - 100), 0)
    known = price > intrinsic + 0.01
    assert (found.status[known] == Status.OK).all()
    assert found.vol[known] == pytest.approx(vol[known], abs=2e-5)
    assert (np.isnan(found.vol) == (found.status != Status.OK)).all()


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
    found = american.implied_vol_with_status(False, price, spot, strike, expiry, 0.03, 0.01)
    assert Status(int(found.status)) is status
    assert american.implied_vol_status(False, price, spot, strike, expiry, 0.03, 0.01) == status
    assert bool(np.isnan(found.vol)) is (status is not Status.OK)


def test_bad_elements_are_nan_and_expired_ones_intrinsic() -> None:
    prices = american.price(
        False, [90.0, np.nan, -1.0, 90.0, 90.0], 100.0, [1.0, 1.0, 1.0, 0.0, -1.0], 0.03, 0.0, 0.2
    )
    assert np.isnan(prices).tolist() == [False, True, True, False, True]
    assert prices[3] == 10.0


def test_threads_give_the_same_numbers() -> None:
    strike = np.linspace(60, 150, 200)
    arguments = (strike > 100, 100.0, strike, 0.7, 0.03, 0.02)
    one = american.price(*arguments, 0.3)
    assert np.array_equal(one, american.price(*arguments, 0.3, threads=2))
    assert np.array_equal(
        american.implied_vol(arguments[0], one, *arguments[1:]),
        american.implied_vol(arguments[0], one, *arguments[1:], threads=2),
        equal_nan=True,
    )


def test_an_unknown_accuracy_is_refused() -> None:
    with pytest.raises(ValueError, match="accuracy"):
        american.price(False, 100.0, 100.0, 1.0, 0.05, 0.0, 0.2, accuracy="best")  # type: ignore[arg-type]
