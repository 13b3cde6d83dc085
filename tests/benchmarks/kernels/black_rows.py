"""Price, Greeks and implied volatility of a million options."""

from __future__ import annotations

from functools import partial

import exact_black
import numpy as np
import rational_peer
from black_peers import NUMBA_INSTALLED, Options, numba_greeks, scipy_greeks
from table_row import Peer, Row, Rows, Target, timed, timed_beside

from skewline.cyext import black
from skewline.cyext.arguments import Doubles

_N = 1_000_000
_FORWARD = 100.0
_IN_CACHE = 10_000
_CHECKED = 40


def rows() -> Rows:
    """Black-76."""
    o = _options()
    arguments = (o.is_call, o.forward, o.strike, o.expiry, o.discount)
    out, prices = np.empty((9, _N)), np.empty(_N)
    accuracy, exact = _greeks_accuracy(o)
    target = Target(10e-9, 4e-9)
    work = "price + 8 Greeks, an option (into out=)"
    ours = partial(black.greeks, *arguments, o.vol, out=out)
    numba = Peer("numba, a loop, 5 Greeks: not installed (the bench extra brings it)")
    if NUMBA_INSTALLED:
        numba = Peer("numba, a loop, 5 Greeks", numba_greeks(o), _N)
    peers = [Peer("NumPy + SciPy, 5 Greeks", partial(scipy_greeks, o), _N), numba]
    yield from timed_beside(peers, work, ours, _N, accuracy, target=target, exact=exact, seconds=4.0)
    few = [column[:_IN_CACHE] for column in (o.is_call, o.strike, o.expiry, o.discount, o.vol)]
    small = partial(black.greeks, few[0], o.forward, *few[1:], out=np.empty((9, _IN_CACHE)))
    yield timed(f"the same, {_IN_CACHE:,} options, in the cache", small, _IN_CACHE, accuracy)
    yield timed("the same, into new arrays", partial(black.greeks, *arguments, o.vol), _N, accuracy)
    yield timed("price alone (into out=)", partial(black.price, *arguments, o.vol, out=prices), _N, accuracy)
    yield _implied(o)


def _options() -> Options:
    rng = np.random.default_rng(1)
    strike, expiry = rng.uniform(60, 160, _N), rng.uniform(0.01, 2, _N)
    return Options(
        strike > _FORWARD, _FORWARD, strike, expiry, np.exp(-0.02 * expiry), rng.uniform(0.05, 0.8, _N)
    )


def _greeks_accuracy(o: Options) -> tuple[str, bool]:
    """Largest error against mpmath: the price's to itself, a Greek's to its largest value of all checked."""
    some = slice(0, _CHECKED)
    columns = [column[some] for column in (o.is_call, o.strike, o.expiry, o.discount, o.vol)]
    got = black.greeks(columns[0], _FORWARD, *columns[1:])
    options = [(one[0], _FORWARD, *one[1:]) for one in zip(*(c.tolist() for c in columns), strict=True)]
    prices = np.array([exact_black.price(*option) for option in options])
    exact = [exact_black.greeks(*option) for option in options]
    price_error = float(np.max(np.abs(got.price / prices - 1)))
    greek_error = 0.0
    for name in exact_black.GREEKS:
        expected = np.array([one[name] for one in exact])
        greek_error = max(
            greek_error, float(np.max(np.abs(getattr(got, name) - expected)) / np.max(np.abs(expected)))
        )
    text = f"price {price_error:.0e} rel., Greeks {greek_error:.0e} of their largest (mpmath)"
    return text, price_error <= 1e-12 and greek_error <= 1e-12


def _implied(o: Options) -> Row:
    price = black.price(o.is_call, o.forward, o.strike, o.expiry, o.discount, o.vol)
    vols = np.empty(_N)
    found = black.implied_vol(o.is_call, price, o.forward, o.strike, o.expiry, o.discount)
    some = price > 1e-300
    error = float(np.max(np.abs(found[some] / o.vol[some] - 1)))
    peer = Peer("Let's Be Rational (lbriv, compiled): not installed")
    if rational_peer.INSTALLED:
        peer = _rational(o, price)
    return timed(
        "implied vol, an option (into out=)",
        partial(black.implied_vol, o.is_call, price, o.forward, o.strike, o.expiry, o.discount, out=vols),
        _N,
        f"{error:.0e} rel. on the vol",
        peer=peer,
        target=Target(100e-9, 50e-9),
        exact=error <= 1e-12,
        seconds=4.0,
    )


def _rational(o: Options, price: Doubles) -> Peer:
    """The calls among the same options, undiscounted and a year each, as it takes them."""
    calls = o.is_call & (price > 1e-300)
    strike, total = o.strike[calls], (o.vol * np.sqrt(o.expiry))[calls]
    undiscounted = black.price(True, o.forward, strike, 1.0, 1.0, total)
    solve = partial(rational_peer.rational_vols, undiscounted, o.forward, strike)
    error = float(np.nanmax(np.abs(solve() / total - 1)))
    return Peer(f"Let's Be Rational (lbriv, compiled; err. {error:.0e})", solve, strike.size)
