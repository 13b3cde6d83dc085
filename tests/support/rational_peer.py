"""Jäckel's "Let's Be Rational" doing the same work, where the `bench` extra brings a port of it (lbriv)."""

from __future__ import annotations

import importlib.util

import numpy as np
from stopwatch import best_of

from skewline.cyext import black
from skewline.cyext.arguments import Doubles

INSTALLED = importlib.util.find_spec("lbriv") is not None


def rational_implied_vol(strike: Doubles, vol: Doubles) -> tuple[str, float | None]:
    """Its name with its error, and seconds an option: undiscounted calls on 100, a year each."""
    if not INSTALLED:
        return "–", None
    from lbriv import vectorized_implied_vol_strikes

    price = black.price(True, 100.0, strike, 1.0, 1.0, vol)
    some = price > 1e-300
    price, strike, vol = price[some], strike[some], vol[some]

    def solve() -> Doubles:
        found: Doubles = vectorized_implied_vol_strikes(price, 100.0, strike, 1)
        return found

    error = float(np.nanmax(np.abs(solve() / vol - 1)))
    return f"Let's Be Rational (err. {error:.0e})", best_of(solve, repeat=3) / strike.size
