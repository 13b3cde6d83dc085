"""American options: the one-year put at the money in both accuracies, Greeks, and implied vols."""

from __future__ import annotations

from functools import partial

import numpy as np
from quantlib_installed import INSTALLED, MISSING
from table_row import Peer, Row, Rows, Target, timed, timed_beside

from skewline.cyext import american
from skewline.cyext.arguments import Doubles

#: is_call, spot, strike, expiry, rate, carry_yield, vol
Columns = tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.bool_]], Doubles, Doubles, Doubles, Doubles, Doubles, Doubles
]

_BATCH, _FEW = 256, 32
_PUT = (False, 100.0, 100.0, 1.0, 0.05, 0.03, 0.25)
_CASES: tuple[tuple[american.Accuracy, Target, float, tuple[str, ...]], ...] = (
    ("fast", Target(4e-6, 1e-6), 1e-6, ("fast", "accurate")),
    ("precise", Target(30e-6, 8e-6), 1e-9, ("high precision",)),
)


def rows() -> Rows:
    """American options."""
    puts = (_PUT[0], np.full(_BATCH, _PUT[1]), *_PUT[2:])
    true_value = _true_value()
    mixed, values = _mixed()
    for accuracy, target, wanted, schemes in _CASES:
        error = abs(float(american.price(*_PUT, accuracy=accuracy)) - true_value)
        worst = float(np.max(np.abs(american.price(*mixed, accuracy=accuracy) - values)))
        yield from timed_beside(
            [_quantlib(scheme, true_value) for scheme in schemes],
            f"put, S=K=100, 1 year, {accuracy}",
            partial(american.price, *puts, accuracy=accuracy),
            _BATCH,
            f"err. {error:.0e}; {worst:.0e} worst of {values.size} mixed",
            target=target,
            exact=error <= wanted,
        )
    for accuracy, _, _, _ in _CASES:
        greeks = partial(american.greeks, puts[0], puts[1][:_FEW], *puts[2:], accuracy=accuracy)
        yield timed(f"price + 8 Greeks, {accuracy}", greeks, _FEW, "")
    yield _implied()


def _true_value() -> float:
    """Of the put: QuantLib's iteration on far more nodes than its own schemes have; ours without it."""
    if not INSTALLED:
        return float(american.price(*_PUT, accuracy="precise"))
    from quantlib_american_peer import FINEST, pricer

    return pricer((*_PUT[:3], 365, *_PUT[4:]), FINEST())()


def _mixed() -> tuple[Columns, Doubles]:
    """Calls and puts near and far, and their true values as above."""
    rng = np.random.default_rng(44)
    n = 24
    days = rng.integers(10, 1000, n)
    columns = (
        *(rng.random(n) < 0.5, np.full(n, 100.0), rng.uniform(70, 140, n), days / 365),
        *(rng.uniform(0.005, 0.1, n), rng.uniform(0.005, 0.08, n), rng.uniform(0.1, 0.8, n)),
    )
    if not INSTALLED:
        return columns, american.price(*columns, accuracy="precise")
    from quantlib_american_peer import FINEST, pricer

    values = []
    for at in range(n):
        call, spot, strike, _, rate, carry, vol = (column[at].item() for column in columns)
        values.append(pricer((call, spot, strike, int(days[at]), rate, carry, vol), FINEST())())
    return columns, np.array(values)


def _quantlib(scheme: str, true_value: float) -> Peer:
    if not INSTALLED:
        return Peer(MISSING)
    from quantlib_american_peer import SCHEMES, pricer

    price = pricer((*_PUT[:3], 365, *_PUT[4:]), SCHEMES[scheme]())
    return Peer(f"QuantLib QdFp {scheme} (err. {abs(price() - true_value):.0e})", price)


def _implied() -> Row:
    """Vols of options out of the money; the error is that of the price at the vol found."""
    n = 2200
    rng = np.random.default_rng(4)
    strike, expiry = rng.uniform(60, 150, n), rng.integers(2, 700, n) / 365
    contract = (strike > 100, 100.0, strike, expiry, 0.01, 0.02)
    price = american.price(*contract, rng.uniform(0.15, 0.6, n))
    solve = partial(american.implied_vol, contract[0], price, *contract[1:])
    vols = solve()
    told = np.isfinite(vols) & (price > 0.01)
    worst = float(np.max(np.abs(american.price(*contract, vols) / price - 1)[told]))
    return timed("implied vol, an option", solve, n, f"price → vol → price {worst:.0e} rel. (above a cent)")
