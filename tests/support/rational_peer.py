"""Jäckel's "Let's Be Rational", compiled: lbriv, a Cython port that the `bench` extra brings."""

from __future__ import annotations

import importlib.util

from skewline.cyext.arguments import Doubles

INSTALLED = importlib.util.find_spec("lbriv") is not None


def rational_vols(price: Doubles, forward: float, strike: Doubles) -> Doubles:
    """Total deviations σ√T of undiscounted calls."""
    from lbriv import black_core, vectorized_implied_vol_strikes

    # A fallback in Python would be no peer.
    if not black_core.__file__.endswith((".so", ".pyd")):
        raise RuntimeError(f"lbriv is not compiled here: {black_core.__file__}")
    found: Doubles = vectorized_implied_vol_strikes(price, forward, strike, 1)
    return found
