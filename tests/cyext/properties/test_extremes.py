"""Rubbish and the ends of the number line: never an exception, a warning, an infinity or an absurd price."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from kernel_samples import HESTON, KERNELS, Columns, Kernel
from numpy.typing import NDArray

from skewline.cyext import american, black, heston
from skewline.cyext.status import Status

ENDS = np.array(
    [
        *(np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e-310, 2.3e-308, 1e-300, 1e-160, 1e-30),
        *(1e30, 1e160, 1e300, 1.7e308, -1e-310, -1e-30, -1.0, -1e300),
    ]
)


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def spoiled(kernel: Kernel, size: int, seed: int, share: float) -> Columns:
    """Ordinary elements in which every number is one of `ENDS` with probability `share`."""
    rng = np.random.default_rng(seed)
    columns = kernel.columns(rng, size)
    for column in columns.values():
        if column.dtype == np.float64:
            hit = rng.random(column.shape) < share
            column[hit] = rng.choice(ENDS, int(hit.sum()))
    return columns


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("share", [0.03, 0.3, 1.0])
def test_whatever_comes_is_answered_without_a_warning(kernel: Kernel, share: float) -> None:
    answer = kernel(spoiled(kernel, min(kernel.size, 700) * 2, seed=51, share=share))
    if "vol" in answer:
        assert np.array_equal(np.isnan(answer["vol"]), answer["status"] != Status.OK)
        told = answer["vol"][answer["status"] == Status.OK]
        assert (told > 0).all()
        assert np.isfinite(told).all()


@pytest.mark.parametrize("name", ["black.greeks", "american.greeks"])
def test_greeks_are_there_where_the_price_is(name: str) -> None:
    """For anything whose square neither overflows nor vanishes."""
    kernel = KERNELS[name]
    columns = spoiled(kernel, min(kernel.size, 3000) * 4, seed=58, share=0.1)
    tame = np.ones(columns["strike"].size, dtype=bool)
    for column in columns.values():
        if column.dtype == np.float64:
            size = np.abs(column)
            tame &= ~(size < 1e-100) | (size == 0)
            tame &= ~(size > 1e100)
    answer = kernel({n: column[tame] for n, column in columns.items()})
    for field, value in answer.items():
        assert np.array_equal(np.isnan(value), np.isnan(answer["price"])), field


def within(price: NDArray[Any], low: NDArray[Any], high: NDArray[Any], slack: NDArray[Any]) -> None:
    """Where there is a price and its bounds can be said, it keeps to them."""
    with np.errstate(all="ignore"):
        ok = ~np.isfinite(price) | ~np.isfinite(low) | ~np.isfinite(high)
        ok |= (price >= low - slack) & (price <= high + slack)
    assert ok.all(), np.flatnonzero(~ok)[:5]


def european_bounds(c: Columns) -> tuple[NDArray[Any], NDArray[Any]]:
    with np.errstate(all="ignore"):
        intrinsic = np.where(c["is_call"], c["forward"] - c["strike"], c["strike"] - c["forward"])
        bound = np.where(c["is_call"], c["forward"], c["strike"])
        return c["discount"] * np.maximum(intrinsic, 0.0), c["discount"] * bound


def test_black_prices_keep_to_their_bounds() -> None:
    c = spoiled(KERNELS["black.price"], 20_000, seed=52, share=0.3)
    low, high = european_bounds(c)
    # what is subnormal before it is discounted has few digits
    within(black.price(**c), low, high, 1e-13 * np.abs(high) + 1e-300 * np.fmax(c["discount"], 1.0))


def test_heston_prices_keep_to_their_bounds() -> None:
    c = spoiled(KERNELS["heston.price"], 2_000, seed=53, share=0.2)
    low, high = european_bounds(c)
    within(heston.price(**c, **HESTON), low, high, 1e-15 * np.abs(high))


@pytest.mark.parametrize("seed", [54, 55])
def test_american_prices_keep_to_their_bounds(seed: int) -> None:
    kernel = KERNELS["american.price fast"]
    rng = np.random.default_rng(seed)
    c = spoiled(kernel, 600, seed, share=0.1)
    c["vol"] = np.where(rng.random(600) < 0.3, 10 ** rng.uniform(-4, 1.5, 600), c["vol"])
    c["expiry"] = np.where(rng.random(600) < 0.3, 10 ** rng.uniform(-6, 2.5, 600), c["expiry"])
    price = american.price(**c)
    with np.errstate(all="ignore"):
        paid = np.where(c["is_call"], c["spot"] - c["strike"], c["strike"] - c["spot"])
        later = np.where(c["is_call"], -c["carry_yield"], -c["rate"]) * c["expiry"]
        bound = np.where(c["is_call"], c["spot"], c["strike"]) * np.exp(np.maximum(later, 0.0))
    within(price, np.maximum(paid, 0.0), bound, 1e-5 * np.abs(bound))
    assert (price[price >= 0] >= np.maximum(paid, 0.0)[price >= 0]).all()


def test_vols_of_odd_quotes_price_back() -> None:
    """Whatever is called OK gives the price back."""
    c = spoiled(KERNELS["black.implied_vol"], 20_000, seed=56, share=0.15)
    found = black.implied_vol_with_status(**c)
    ok = found.status == Status.OK
    price = c.pop("price")[ok]
    options = {name: column[ok] for name, column in c.items()}
    again = black.price(**options, vol=found.vol[ok])
    _, high = european_bounds(options)
    sane = np.isfinite(high) & (price > 1e-290) & np.isfinite(again)
    assert sane.mean() > 0.9
    assert (np.abs(again - price) <= 1e-12 * price + 1e-14 * high)[sane].all()
