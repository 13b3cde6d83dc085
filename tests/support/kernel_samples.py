"""Every public kernel that works element by element, with inputs to try it on.

An element is one index of the first axis of every column: an option, a smile (padded with NaN), a series.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from heston_parameters import model
from numpy.typing import NDArray

from skewline.cyext import american, american_dividends, black, heston, ou, portfolio, sabr

Columns: TypeAlias = dict[str, Any]

HESTON = model((0.03, 2.0, 0.05, 0.8, -0.6))
PAID = american_dividends.Dividends([0.05, 0.3], [1.0, 1.5])
SPOT_FACTORS, VOL_SHOCKS = np.linspace(0.7, 1.3, 5), np.linspace(0.2, -0.2, 5)
#: Of a series, some of them far longer than others.
STEPS = np.random.default_rng(80).uniform(0.05, 1.0, 59) ** 3


@dataclass(frozen=True, slots=True)
class Kernel:
    """`call` takes the columns by name and `threads`; `columns` draws ordinary ones."""

    name: str
    call: Callable[..., object]
    columns: Callable[[np.random.Generator, int], Columns]
    #: Elements that a test may ask for without taking long.
    size: int

    def __call__(self, columns: Columns, threads: int = 1) -> dict[str, NDArray[Any]]:
        """Every array of the answer by its name."""
        result = self.call(**columns, threads=threads)
        if isinstance(result, np.ndarray):
            return {"value": result}
        assert dataclasses.is_dataclass(result)
        named = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}


def take(columns: Mapping[str, NDArray[Any]], which: Any) -> Columns:
    """The elements `which` (an index or slice) of every column."""
    return {name: column[which] for name, column in columns.items()}


def identical(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Bit for bit, with any NaN like any other."""
    if ours.dtype != np.float64:
        return bool(np.array_equal(ours, theirs))
    same = ours.view(np.int64) == theirs.view(np.int64)
    return ours.shape == theirs.shape and bool(np.all(same | (np.isnan(ours) & np.isnan(theirs))))


def _forwards(rng: np.random.Generator, size: int) -> Columns:
    expiry = rng.choice([1 / 365, 7 / 365, 0.1, 0.5, 1.0, 2.7], size)
    strike = 100.0 * np.exp(rng.uniform(-4, 4, size) * 0.25 * np.sqrt(expiry))
    return {
        "is_call": rng.random(size) < 0.5,
        "forward": rng.choice([99.0, 100.0, 101.5], size),
        "strike": strike,
        "expiry": expiry,
        "discount": np.exp(-0.03 * expiry),
    }


def _black(rng: np.random.Generator, size: int) -> Columns:
    return {**_forwards(rng, size), "vol": rng.uniform(0.05, 1.0, size)}


def _black_quotes(rng: np.random.Generator, size: int) -> Columns:
    options = _black(rng, size)
    price = black.price(**options)
    del options["vol"]
    return {**options, "price": price}


def _american(rng: np.random.Generator, size: int) -> Columns:
    return {
        "is_call": rng.random(size) < 0.5,
        "spot": np.full(size, 100.0),
        "strike": rng.uniform(75, 130, size),
        "expiry": rng.choice([7 / 365, 0.1, 0.5, 1.0, 2.0], size),
        "rate": rng.choice([0.0, 0.02, 0.05], size),
        "carry_yield": rng.choice([0.0, 0.015, 0.04], size),
        "vol": rng.uniform(0.12, 0.8, size),
    }


def _exercised_early(rng: np.random.Generator, size: int) -> Columns:
    return {
        **_american(rng, size),
        "rate": rng.choice([0.02, 0.05], size),
        "carry_yield": rng.choice([0.015, 0.04], size),
    }


def _two_boundaries(rng: np.random.Generator, size: int) -> Columns:
    options = _american(rng, size)
    is_call = options["is_call"]
    return {
        **options,
        "rate": np.where(is_call, -0.04, -0.01),
        "carry_yield": np.where(is_call, -0.01, -0.04),
    }


def _american_quotes(rng: np.random.Generator, size: int) -> Columns:
    options = _american(rng, size)
    price = american.price(**options)
    del options["vol"]
    return {**options, "price": price}


def _quotes_over_dividends(rng: np.random.Generator, size: int) -> Columns:
    options = _american(rng, size)
    price = american_dividends.price(**options, dividends=PAID)
    del options["vol"]
    return {**options, "price": price}


def _sabr(rng: np.random.Generator, size: int) -> Columns:
    return {
        "forward": np.full(size, 100.0),
        "strike": rng.uniform(40, 250, size),
        "expiry": rng.choice([7 / 365, 0.5, 2.0], size),
        "alpha": rng.uniform(1.0, 4.0, size),
        "beta": rng.choice([0.0, 0.5, 1.0], size),
        "rho": rng.uniform(-0.9, 0.5, size),
        "nu": rng.uniform(0.0, 1.5, size),
        "shift": rng.choice([0.0, 3.0], size),
    }


def _smiles(rng: np.random.Generator, size: int) -> Columns:
    """From 4 to 30 strikes each, noisy."""
    expiry = rng.choice([7 / 365, 0.25, 2.0], size)
    steps = np.sort(rng.uniform(-2.5, 2.0, (size, 30)), axis=1)
    strikes = 100.0 * np.exp(steps * 0.2 * np.sqrt(expiry)[:, None])
    nu = (rng.uniform(0.3, 0.9, size) / np.sqrt(expiry))[:, None]
    rho = rng.uniform(-0.8, 0.3, size)[:, None]
    vols = sabr.implied_vol(100.0, strikes, expiry[:, None], 2.0, 0.5, rho, nu)
    vols *= 1 + 0.01 * rng.standard_normal(vols.shape)
    strikes[np.arange(30) >= rng.integers(4, 31, size)[:, None]] = np.nan
    return {"forwards": np.full(size, 100.0), "expiries": expiry, "strikes": strikes, "vols": vols}


def fit_smiles(
    forwards: NDArray[Any], expiries: NDArray[Any], strikes: NDArray[Any], vols: NDArray[Any], threads: int
) -> sabr.SabrFits:
    """`calibrate_many` of padded rows."""
    known = ~np.isnan(strikes)
    offsets = np.concatenate(([0], np.cumsum(known.sum(axis=1))))
    return sabr.calibrate_many(forwards, expiries, strikes[known], vols[known], offsets, threads=threads)


def _series(rng: np.random.Generator, size: int) -> Columns:
    shocks = rng.standard_normal((size, 60))
    x = np.empty_like(shocks)
    x[:, 0] = shocks[:, 0]
    for i in range(1, 60):
        x[:, i] = 0.8 * x[:, i - 1] + shocks[:, i]
    x[rng.random((size, 60)) < 0.01] = np.nan
    return {"matrix": x * rng.uniform(0.1, 10, size)[:, None] + rng.uniform(-100, 100, size)[:, None]}


def _spot_greeks(threads: int, spot: NDArray[Any], **options: NDArray[Any]) -> black.Greeks:
    of_forward = black.greeks(**options, threads=threads)
    return black.spot_greeks(of_forward, spot, options["forward"], options["expiry"])


def _black_and_spot(rng: np.random.Generator, size: int) -> Columns:
    return {**_black(rng, size), "spot": rng.uniform(95, 105, size)}


def _in_scenarios(threads: int, **options: NDArray[Any]) -> NDArray[Any]:
    """A row for each option."""
    return portfolio.matrix(
        **options, spot_factor=SPOT_FACTORS, vol_shock=VOL_SHOCKS, time_passed=0.01, threads=threads
    ).T


KERNELS = {
    kernel.name: kernel
    for kernel in (
        Kernel("black.price", black.price, _black, 2003),
        Kernel("black.greeks", black.greeks, _black, 2003),
        Kernel("black.spot_greeks", _spot_greeks, _black_and_spot, 2003),
        Kernel("black.implied_vol", black.implied_vol_with_status, _black_quotes, 2003),
        Kernel("portfolio.matrix", _in_scenarios, _black, 2003),
        Kernel("sabr.implied_vol", sabr.implied_vol, _sabr, 2003),
        Kernel("sabr.calibrate_many", fit_smiles, _smiles, 203),
        Kernel("heston.price", partial(heston.price, **HESTON), _forwards, 1003),
        Kernel("ou.fit_many", partial(ou.fit_many, dt=1 / 52), _series, 203),
        Kernel("ou.fit_many, unequal steps", partial(ou.fit_many, dt=STEPS), _series, 83),
        Kernel("american.price fast", partial(american.price, accuracy="fast"), _american, 203),
        Kernel("american.price precise", partial(american.price, accuracy="precise"), _american, 43),
        Kernel("american.greeks", american.greeks, _american, 19),
        Kernel("american.greeks, exercised", american.greeks, _exercised_early, 19),
        Kernel("american.implied_vol", american.implied_vol_with_status, _american_quotes, 83),
        Kernel("american_dividends.price", partial(american_dividends.price, dividends=PAID), _american, 43),
        Kernel("american_dividends.price, two boundaries", american_dividends.price, _two_boundaries, 19),
        Kernel(
            "american_dividends.greeks", partial(american_dividends.greeks, dividends=PAID), _american, 19
        ),
        Kernel(
            "american_dividends.implied_vol",
            partial(american_dividends.implied_vol_with_status, dividends=PAID),
            _quotes_over_dividends,
            19,
        ),
    )
}
