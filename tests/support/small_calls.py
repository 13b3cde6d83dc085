"""Short calls of every public kernel function: good ones, ones with bad elements, ones to be refused."""

from collections.abc import Callable
from typing import Any

import numpy as np

from skewline.cyext import (
    american,
    american_dividends,
    black,
    book,
    essvi,
    heston,
    ou,
    portfolio,
    sabr,
    variance_smile,
)

STRIKES = np.array([80.0, 90.0, 100.0, 110.0, 120.0])
BAD = np.array([np.nan, -1.0, 0.0, np.inf, 1e-300])
VOLS = np.array([0.26, 0.23, 0.21, 0.2, 0.205])
SERIES = np.random.default_rng(3).standard_normal(20)
MODEL: Any = {"v0": 0.04, "kappa": 2.0, "theta": 0.05, "sigma": 0.7, "rho": -0.6}
WORDS: Any = ["a", "b"]
BOOK_LEVELS = [[f"{price}.5", "2.25"] for price in range(40, 0, -1)]


def filled_book() -> book.OrderBook:
    """Bids only."""
    one = book.OrderBook(price_decimals=1, quantity_decimals=2)
    one.snapshot(1, BOOK_LEVELS, [])
    return one


GOOD: dict[str, Callable[[], object]] = {
    "black.price": lambda: black.price(True, 100.0, STRIKES, 0.5, 0.99, 0.2),
    "black.price, two threads": lambda: black.price(
        True, 100.0, np.full(5000, 90.0), 0.5, 0.99, 0.2, threads=2
    ),
    "black.greeks": lambda: black.greeks(True, 100.0, STRIKES, 0.5, 0.99, 0.2),
    "black.spot_greeks": lambda: black.spot_greeks(
        black.greeks(True, 100.0, STRIKES, 0.5, 0.99, 0.2), 99.0, 100.0, 0.5
    ),
    "black.implied_vol": lambda: black.implied_vol(True, 25.0, 100.0, STRIKES, 0.5, 0.99),
    "black.implied_vol_status": lambda: black.implied_vol_status(True, 25.0, 100.0, STRIKES, 0.5, 0.99),
    "sabr.implied_vol": lambda: sabr.implied_vol(100.0, STRIKES, 0.5, 2.0, 0.5, -0.3, 0.8),
    "sabr.calibrate": lambda: sabr.calibrate(100.0, 0.5, STRIKES, VOLS),
    "sabr.calibrate_many": lambda: sabr.calibrate_many([100.0], [0.5], STRIKES, VOLS, [0, 5]),
    "essvi.calibrate_many": lambda: essvi.calibrate_many([100.0], [0.5], STRIKES, VOLS, VOLS + 0.01, [0, 5]),
    "variance_smile.calibrate_many": lambda: variance_smile.calibrate_many(
        [100.0], [0.5], STRIKES, VOLS, VOLS + 0.01, [0, 5]
    ),
    "heston.price": lambda: heston.price(True, 100.0, STRIKES, 0.5, 0.99, **MODEL),
    "heston.calibrate": lambda: heston.calibrate(
        100.0, STRIKES, 0.5, VOLS, initial=[0.04, 2.0, 0.05, 0.7, -0.6]
    ),
    "american.price": lambda: american.price(True, 100.0, 90.0, 0.5, 0.03, 0.05, 0.2),
    "american.greeks": lambda: american.greeks(True, 100.0, 90.0, 0.5, 0.03, 0.05, 0.2, accuracy="fast"),
    "american.implied_vol": lambda: american.implied_vol(True, 12.0, 100.0, 90.0, 0.5, 0.03, 0.05),
    "american_dividends.price": lambda: american_dividends.price(
        *(True, 100.0, 90.0, 0.5, 0.03, 0.0, 0.2), dividends=american_dividends.Dividends([0.2], [1.0])
    ),
    "american_dividends.greeks": lambda: american_dividends.greeks(
        *(True, 100.0, 90.0, 0.5, 0.03, 0.0, 0.2), dividends=american_dividends.Dividends([0.2], [1.0])
    ),
    "american_dividends.implied_vol": lambda: american_dividends.implied_vol_with_status(
        *(True, 12.0, 100.0, 90.0, 0.5, 0.03, 0.0), dividends=american_dividends.Dividends([0.2], [1.0])
    ),
    "portfolio.revalue": lambda: portfolio.revalue(
        *(True, 100.0, STRIKES, 0.5, 0.99, 0.2, 3.0), spot_factor=STRIKES / 100
    ),
    "portfolio.matrix": lambda: portfolio.matrix(
        True, 100.0, STRIKES, 0.5, 0.99, 0.2, spot_factor=STRIKES / 100
    ),
    "ou.fit": lambda: ou.fit(SERIES, 1.0),
    "ou.fit_many": lambda: ou.fit_many(SERIES.reshape(2, 10), 1.0),
    "ou.fit_many, unequal steps": lambda: ou.fit_many(SERIES.reshape(2, 10), np.arange(1.0, 10.0)),
    "book": lambda: filled_book().apply(1, 2, BOOK_LEVELS[:9], BOOK_LEVELS[9:]),
}

BAD_ELEMENTS: dict[str, Callable[[], object]] = {
    "black.greeks": lambda: black.greeks(True, BAD, 100.0, 0.5, 0.99, 0.2),
    "black.implied_vol_status": lambda: black.implied_vol_status(True, BAD, 100.0, 100.0, 0.5, 0.99),
    "sabr.implied_vol": lambda: sabr.implied_vol(BAD, 100.0, 0.5, 2.0, 0.5, -0.3, 0.8),
    "sabr.calibrate": lambda: sabr.calibrate(100.0, 0.5, BAD, BAD),
    "variance_smile.calibrate_many": lambda: variance_smile.calibrate_many(
        [100.0], [0.5], BAD, BAD, BAD, [0, 5]
    ),
    "heston.price": lambda: heston.price(True, BAD, 100.0, 0.5, 0.99, **MODEL),
    "heston.calibrate": lambda: heston.calibrate(100.0, BAD, 0.5, BAD),
    "american.price": lambda: american.price(True, BAD, 100.0, 0.5, 0.03, 0.02, 0.2),
    "american.implied_vol": lambda: american.implied_vol(True, BAD, 100.0, 100.0, 0.5, 0.03, 0.02),
    "american_dividends.implied_vol": lambda: american_dividends.implied_vol_with_status(
        *(True, BAD, 100.0, 90.0, 0.5, 0.03, 0.0), dividends=american_dividends.Dividends([0.2], [1.0])
    ),
    "portfolio.revalue": lambda: portfolio.revalue(
        *(True, BAD, 100.0, 0.5, 0.99, 0.2, 3.0), spot_factor=STRIKES / 100
    ),
    "ou.fit": lambda: ou.fit(BAD, 1.0),
    "book, a gap": lambda: filled_book().apply(9, 10, BOOK_LEVELS, []),
}


def refused(call: Callable[[], object]) -> Callable[[], object]:
    """The call, which must raise ValueError or TypeError."""

    def refusal() -> None:
        try:
            call()
        except (ValueError, TypeError):
            return
        raise AssertionError("this call should have been refused")

    return refusal


REFUSED: dict[str, Callable[[], object]] = {
    name: refused(call)
    for name, call in {
        "black.price, shapes": lambda: black.price(True, np.ones(2), np.ones(3), 0.5, 0.99, 0.2),
        "black.price, threads": lambda: black.price(True, 100.0, 100.0, 0.5, 0.99, 0.2, threads=0),
        "black.greeks, out": lambda: black.greeks(True, 100.0, STRIKES, 0.5, 0.99, 0.2, out=np.empty(3)),
        "black.implied_vol, words": lambda: black.implied_vol(True, WORDS, 100.0, 100.0, 0.5, 0.99),
        "sabr.calibrate, beta": lambda: sabr.calibrate(100.0, 0.5, STRIKES, VOLS, beta=2.0),
        "sabr.calibrate_many, offsets": lambda: sabr.calibrate_many([100.0], [0.5], STRIKES, VOLS, [0, 9]),
        "heston.price, rho": lambda: heston.price(True, 100.0, STRIKES, 0.5, 0.99, **{**MODEL, "rho": 2.0}),
        "heston.calibrate, initial": lambda: heston.calibrate(100.0, STRIKES, 0.5, VOLS, initial=[1.0]),
        "american.price, shapes": lambda: american.price(True, np.ones(2), np.ones(3), 0.5, 0.03, 0.02, 0.2),
        "american.price, accuracy": lambda: american.price(
            *(True, 100.0, 90.0, 0.5, 0.03, 0.05, 0.2),
            accuracy=WORDS[0],
        ),
        "american_dividends.Dividends": lambda: american_dividends.Dividends([0.5, 0.2], [1.0, 1.0]),
        "portfolio.revalue, shapes": lambda: portfolio.revalue(
            *(True, 100.0, STRIKES, 0.5, 0.99, 0.2, np.ones(3)), spot_factor=STRIKES / 100
        ),
        "book.snapshot, half a level": lambda: filled_book().apply(1, 2, BOOK_LEVELS, [["1.0"]]),
        "ou.fit, words": lambda: ou.fit(WORDS, 1.0),
        "ou.fit_many, shape": lambda: ou.fit_many(SERIES, 1.0),
    }.items()
}

ALL = {
    **{f"{name}: good": call for name, call in GOOD.items()},
    **{f"{name}: bad elements": call for name, call in BAD_ELEMENTS.items()},
    **{f"{name}: refused": call for name, call in REFUSED.items()},
}
