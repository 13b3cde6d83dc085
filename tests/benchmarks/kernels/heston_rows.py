"""Heston: the DAX surface of 2002 cold and warm, and the prices of a whole chain."""

from __future__ import annotations

from functools import partial

import numpy as np
from heston_parameters import model
from published_surfaces import DAX_2002_OF_FIFTY_SSE, DAX_2002_SSE, Surface, dax_2002, dax_2002_of_fifty
from quantlib_installed import INSTALLED, MISSING
from table_row import Peer, Row, Rows, Target, timed, timed_beside

from skewline.cyext import heston
from skewline.cyext.arguments import Doubles

Choices = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_SPOT = 4468.17
_MODEL = (0.02, 5.0, 0.03, 1.2, -0.75)
_CHECKED = 60
#: A. Lewis, S = K = 100, r 1 %, q 2 %, one year: the call.
_LEWIS, _LEWIS_CALL = (0.04, 4.0, 0.25, 1.0, -0.5), 16.070154917028834


def rows() -> Rows:
    """Heston."""
    yield from _surface(
        "50 options, DAX 2002", dax_2002_of_fifty(), DAX_2002_OF_FIFTY_SSE, 0.001, Target(1.5e-3, 0.5e-3)
    )
    yield from _surface("104 options, DAX 2002", dax_2002(), DAX_2002_SSE, 0.1, Target(2.5e-3, 0.8e-3))
    yield from _warm(dax_2002())
    yield _chain()


def _points(sse: float) -> float:
    return sse * 1e4


def _surface(work: str, s: Surface, published: float, tolerance: float, target: Target) -> Rows:
    """Cold, against QuantLib's Levenberg–Marquardt with each of its two engines."""
    cold = partial(heston.calibrate, s.forward, s.strike, s.expiry, s.vols)
    fit = cold()
    exact = abs(_points(fit.sse) - published) < tolerance and fit.converged
    accuracy = f"SSE {_points(fit.sse):.4f} ({fit.starts} starts, agreed: {fit.agreed})"
    peers = []
    for name, exponential in (("GL-64", False), ("exponential fitting", True)):
        peer = Peer(MISSING)
        if INSTALLED:
            from quantlib_heston_peer import DaxSurface

            theirs = DaxSurface(s, _SPOT, exponential)
            peer = Peer(f"QuantLib LM, {name} (SSE {_points(theirs.fit().sse):.4f})", theirs.fit)
        peers.append(peer)
    yield from timed_beside(peers, work, cold, 1, accuracy, target=target, exact=exact, seconds=2.5)


def _warm(s: Surface) -> Rows:
    before = heston.calibrate(s.forward, s.strike, s.expiry, s.vols).parameters
    moves = {
        "the same, warm, vols 1 % higher": (s.forward, s.vols * 1.01),
        "the same, warm, forward 1 % lower": (s.forward * 0.99, s.vols),
    }
    for work, (forward, vols) in moves.items():
        arguments = (forward, s.strike, s.expiry, vols)
        warm = partial(heston.calibrate, *arguments, initial=before)
        cold = heston.calibrate(*arguments)
        apart = abs(warm().sse / cold.sse - 1)
        accuracy = f"SSE within {max(apart, 1e-16):.0e} of a cold fit's"
        yield timed(work, warm, 1, accuracy, target=Target(0.5e-3, 0.15e-3), exact=apart < 1e-4)


def _chain() -> Row:
    """14,000 options of 37 expiries, one day to 1,000."""
    rng = np.random.default_rng(3)
    days = np.repeat(np.unique(np.rint(np.geomspace(1, 1000, 41)))[-37:], 378)
    level = np.sqrt(0.025 * days / 365)
    strike = np.exp(rng.uniform(-8, 4, days.size) * level)
    is_call, expiry = strike > 1.0, days / 365
    chain = partial(heston.price, is_call, 1.0, strike, expiry, 1.0, **model(_MODEL))
    ours = chain()
    error, oracle = _chain_error(is_call, strike, days, ours)
    return timed(
        f"price, an option of {days.size:,} of {np.unique(days).size} expiries",
        chain,
        days.size,
        f"{error:.0e} of spot ({oracle})",
        peer=_one_by_one(is_call, strike, days, ours),
        target=Target(0.5e-6, 0.1e-6),
        exact=error <= 1e-9,
        seconds=2.0,
    )


def _chain_error(is_call: Choices, strike: Doubles, days: Doubles, ours: Doubles) -> tuple[float, str]:
    """Largest error of some, from QuantLib's adaptive Gauss–Lobatto at 1e-13; else from Lewis's prices."""
    if not INSTALLED:
        lewis = heston.price(True, *(100 * np.exp(-0.01), 100.0, 1.0, np.exp(-0.01)), **model(_LEWIS))
        return abs(float(lewis) - _LEWIS_CALL) / 100, "Lewis"
    from quantlib_prices import heston_call

    some = np.random.default_rng(6).choice(days.size, _CHECKED, replace=False)
    calls = [heston_call(float(strike[i]), int(days[i]), *_MODEL) for i in some]
    exact = np.array(calls) - np.where(is_call[some], 0.0, 1.0 - strike[some])
    return float(np.max(np.abs(ours[some] - exact))), f"QuantLib Gauss–Lobatto, {_CHECKED} options"


def _one_by_one(is_call: Choices, strike: Doubles, days: Doubles, ours: Doubles) -> Peer:
    if not INSTALLED:
        return Peer(MISSING)
    from quantlib_heston_peer import Chain

    some = slice(0, None, 27)
    theirs = Chain(is_call[some], strike[some], days[some], _MODEL)
    worst = float(np.max(np.abs(theirs.prices() - ours[some])))
    return Peer(f"QuantLib, one at a time ({worst:.0e} from ours)", theirs.prices, days[some].size)
