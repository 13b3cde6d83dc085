"""What the vector code leaves to the scalar formulas fits in seamlessly, whatever its place in a batch."""

import numpy as np
import pytest

from skewline.cyext import black
from skewline.cyext.status import Status

STRIKES = np.linspace(20.0, 400.0, 131)
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm")


@pytest.mark.parametrize("unit", [1e-300, 1e-60, 1e60, 1e250])
@pytest.mark.parametrize("is_call", [True, False])
def test_prices_scale_with_the_unit_of_money(unit: float, is_call: bool) -> None:
    here = black.greeks(is_call, 100.0, STRIKES, 0.7, 0.95, 0.3)
    there = black.greeks(is_call, 100.0 * unit, STRIKES * unit, 0.7, 0.95, 0.3)
    assert there.price / unit == pytest.approx(here.price, rel=1e-12)
    assert there.delta == pytest.approx(here.delta, rel=1e-12)
    assert there.vanna == pytest.approx(here.vanna, rel=1e-10, abs=1e-14)
    vols = black.implied_vol(STRIKES > 100, black.price(STRIKES > 100, 100.0, STRIKES, 0.7, 0.95, 0.3) * unit,
                             100.0 * unit, STRIKES * unit, 0.7, 0.95)  # fmt: skip
    assert vols == pytest.approx(0.3, rel=1e-11)


def test_an_element_is_the_same_alone_and_at_any_place() -> None:
    many = black.greeks(True, 100.0, STRIKES, 0.7, 0.95, 0.3)
    vols = black.implied_vol(True, many.price, 100.0, STRIKES, 0.7, 0.95)
    for i in range(0, STRIKES.size, 13):
        one = black.greeks(True, 100.0, STRIKES[i], 0.7, 0.95, 0.3)
        for name in NAMES:
            assert float(getattr(one, name)) == getattr(many, name)[i], name
        alone = black.implied_vol(True, many.price[i], 100.0, STRIKES[i], 0.7, 0.95)
        assert np.array_equal(alone, vols[i], equal_nan=True)
        assert float(black.price(True, 100.0, STRIKES[i], 0.7, 0.95, 0.3)) == many.price[i]


def test_bad_elements_among_good_ones() -> None:
    vol = np.full(STRIKES.size, 0.3)
    good = black.greeks(True, 100.0, STRIKES, 0.7, 0.95, vol)
    vol[::5] = np.nan
    vol[1::5] = 0.0
    mixed = black.greeks(True, 100.0, STRIKES, 0.7, 0.95, vol)
    for name in NAMES:
        ours, theirs = getattr(mixed, name), getattr(good, name)
        assert np.isnan(ours[::5]).all()
        assert np.array_equal(ours[2::5], theirs[2::5])
    assert mixed.price[1::5] == pytest.approx(0.95 * np.maximum(100.0 - STRIKES[1::5], 0.0))
    prices = good.price.copy()
    prices[::5] = -1.0
    found = black.implied_vol_with_status(True, prices, 100.0, STRIKES, 0.7, 0.95)
    assert (found.status[::5] == Status.BELOW_INTRINSIC).all()
    assert (found.status[2::5] == Status.OK).all()


def test_strided_and_reversed_columns() -> None:
    wide = np.repeat(STRIKES, 3).reshape(-1, 3)
    plain = black.price(STRIKES > 100, 100.0, STRIKES, 0.7, 0.95, 0.3)
    assert np.array_equal(black.price(wide[:, 1] > 100, 100.0, wide[:, 1], 0.7, 0.95, 0.3), plain)
    assert np.array_equal(black.price(STRIKES[::-1] > 100, 100.0, STRIKES[::-1], 0.7, 0.95, 0.3), plain[::-1])


def test_vols_where_one_way_of_solving_meets_the_other() -> None:
    moneyness, deviation = np.meshgrid(np.linspace(0.0, 12.0, 121), np.geomspace(1e-5, 8.0, 160))
    x = np.minimum(moneyness * deviation, 80.0)
    price = black.price(True, 1.0, np.exp(x), 1.0, 1.0, deviation)
    found = black.implied_vol_with_status(True, price, 1.0, np.exp(x), 1.0, 1.0)
    assert (found.status == Status.OK).all()
    # half a unit in the last place of the price or of its distance from the bound
    vega = black.greeks(True, 1.0, np.exp(x), 1.0, 1.0, deviation).vega
    blur = 4e-16 * np.maximum(price, 0.3 * (price > 0.5)) / (vega * deviation)
    assert (np.abs(found.vol / deviation - 1) <= 1e-13 + 4 * blur).all()


def test_results_go_into_what_is_handed_in() -> None:
    rows, vols = np.empty((9, STRIKES.size)), np.empty(STRIKES.size)
    greeks = black.greeks(True, 100.0, STRIKES, 0.7, 0.95, 0.3, out=rows)
    assert np.shares_memory(greeks.charm, rows)
    assert np.array_equal(rows[0], black.price(True, 100.0, STRIKES, 0.7, 0.95, 0.3))
    assert black.implied_vol(True, rows[0], 100.0, STRIKES, 0.7, 0.95, out=vols) is vols
    with pytest.raises(ValueError, match="out must have shape"):
        black.greeks(True, 100.0, STRIKES, 0.7, 0.95, 0.3, out=np.empty((8, STRIKES.size)))
