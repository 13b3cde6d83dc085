import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.cyext import black
from skewline.cyext.status import Status


@settings(max_examples=400)
@given(log_deviation=st.floats(-6, 0.7), moneyness=st.floats(0, 8), is_call=st.booleans())
def test_out_of_the_money_price_gives_back_its_vol(
    log_deviation: float, moneyness: float, is_call: bool
) -> None:
    deviation = 10.0**log_deviation
    strike = 100.0 * float(np.exp(np.clip(moneyness * deviation * (1 if is_call else -1), -60, 60)))
    greeks = black.greeks(is_call, 100.0, strike, 1.0, 0.97, deviation)
    found = black.implied_vol_with_status(is_call, greeks.price, 100.0, strike, 1.0, 0.97)
    assert int(found.status) == Status.OK
    # what a rounding of the price by half a unit in the last place means for the vol
    bound = 0.97 * (100.0 if is_call else strike)
    blur = 2.3e-16 * bound / max(float(greeks.vega) * deviation, 1e-300) if deviation > 1 else 0.0
    assert float(found.vol) == pytest.approx(deviation, rel=1e-12 + 8 * blur)


def test_large_total_volatility_comes_back_within_the_price_s_rounding() -> None:
    deviation = np.linspace(1.0, 10.0, 50)
    greeks = black.greeks(True, 100.0, 120.0, 1.0, 1.0, deviation)
    vols = black.implied_vol(True, greeks.price, 100.0, 120.0, 1.0, 1.0)
    assert (np.abs(vols - deviation) <= 1e-12 * deviation + 1e-13 / greeks.vega).all()


def test_in_the_money_prices_agree_with_their_out_of_the_money_twins() -> None:
    strikes = np.linspace(60.0, 99.0, 40)
    price = black.price(True, 100.0, strikes, 0.5, 0.99, 0.4)
    assert black.implied_vol(True, price, 100.0, strikes, 0.5, 0.99) == pytest.approx(0.4, rel=1e-9)


@pytest.mark.parametrize(
    ("price", "forward", "strike", "expiry", "discount", "status"),
    [
        (4.0, 100.0, 100.0, 1.0, 1.0, Status.OK),
        (-1.0, 100.0, 100.0, 1.0, 1.0, Status.BELOW_INTRINSIC),
        (0.0, 100.0, 110.0, 1.0, 1.0, Status.BELOW_INTRINSIC),
        (9.9, 110.0, 100.0, 1.0, 1.0, Status.BELOW_INTRINSIC),
        (99.0, 100.0, 100.0, 1.0, 0.99, Status.ABOVE_BOUND),
        (np.nan, 100.0, 100.0, 1.0, 1.0, Status.NON_FINITE),
        (4.0, np.inf, 100.0, 1.0, 1.0, Status.NON_FINITE),
        (4.0, 100.0, 100.0, 0.0, 1.0, Status.EXPIRED),
        (4.0, 100.0, 100.0, -0.1, 1.0, Status.EXPIRED),
        (4.0, -100.0, 100.0, 1.0, 1.0, Status.OUT_OF_DOMAIN),
        (4.0, 100.0, 0.0, 1.0, 1.0, Status.OUT_OF_DOMAIN),
        (4.0, 100.0, 100.0, 1.0, 0.0, Status.OUT_OF_DOMAIN),
    ],
)
def test_every_failure_has_its_status(
    price: float, forward: float, strike: float, expiry: float, discount: float, status: Status
) -> None:
    found = black.implied_vol_with_status(True, price, forward, strike, expiry, discount)
    assert Status(int(found.status)) is status
    assert bool(np.isnan(found.vol)) is (status is not Status.OK)
    assert found.status.dtype == np.int32
    assert black.implied_vol_status(True, price, forward, strike, expiry, discount) == status
    vol = black.implied_vol(True, price, forward, strike, expiry, discount)
    assert np.array_equal(vol, found.vol, equal_nan=True)


@given(st.lists(st.floats(), min_size=5, max_size=5), st.booleans())
def test_any_float_is_answered(numbers: list[float], is_call: bool) -> None:
    found = black.implied_vol_with_status(is_call, *numbers)
    assert bool(np.isnan(found.vol)) is (int(found.status) != Status.OK)
    if not np.isnan(found.vol):
        assert float(found.vol) > 0


def test_a_chain_is_done_in_milliseconds() -> None:
    rng = np.random.default_rng(5)
    strikes = rng.uniform(1000, 4000, 14_000)
    is_call = strikes > 2900
    expiry = rng.uniform(0.003, 2.7, strikes.size)
    vol = rng.uniform(0.08, 0.6, strikes.size)
    price = black.price(is_call, 2900.0, strikes, expiry, 0.98, vol)
    found = black.implied_vol_with_status(is_call, price, 2900.0, strikes, expiry, 0.98)
    ok = price > 1e-290
    assert (found.status[ok] == Status.OK).all()
    assert found.vol[ok] == pytest.approx(vol[ok], rel=1e-11)
