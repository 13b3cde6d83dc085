"""The full SPX chain of 2019-04-25 stage by stage: every implied vol, every smile, one Heston surface."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
from real_chains import NO_SPX, SETTINGS, Quotes, prepared, spx
from table_row import Row, Rows, timed

from skewline.cyext import black, heston, sabr
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import Contracts
from skewline.servers.calibration.forwards import Forward, forwards_of
from skewline.servers.calibration.smiles import Smiles, smiles_of

_DAY = date(2019, 4, 25)
_FLOOR, _GOAL = 40e-3, 15e-3


def rows() -> Rows:
    """The three stages, their sum, and what is timed apart."""
    if NO_SPX:
        yield Row("the whole chain", reason=NO_SPX)
        return
    chain = spx(_DAY)
    contracts, forwards = prepared(chain, american=False)
    quotes = Quotes.of(contracts, forwards)
    smiles, _ = smiles_of(contracts, forwards, SETTINGS)
    stages = (_vols(quotes), _smiles(smiles, forwards), _surface(smiles))
    done = []
    for stage in stages:
        done.append(stage)
        yield stage
    yield Row(
        f"total, {contracts.strike.size:,} contracts of {len(forwards)} expiries",
        ours=sum(stage.ours or 0.0 for stage in done),
        accuracy="the three stages above, each at its best",
        exact=all(stage.exact for stage in done),
        floor=_FLOOR,
        goal=_GOAL,
        spread=max(stage.spread for stage in done),
    )
    yield _warm(smiles)
    yield _parity(contracts, chain.spot)


def _vols(q: Quotes) -> Row:
    solve = partial(black.implied_vol_with_status, q.is_call, q.mid, q.forward, q.strike, q.years, q.discount)
    found = solve()
    codes = {Status(code).name: int(count) for code, count in zip(*_counts(found.status), strict=True)}
    told = found.status == Status.OK
    again = black.price(q.is_call, q.forward, q.strike, q.years, q.discount, found.vol)
    error = float(np.max(np.abs(again[told] / q.mid[told] - 1)))
    said = ", ".join(f"{count:,} {name}" for name, count in codes.items())
    accuracy = f"{said}; round trip {error:.0e} rel."
    return timed(
        f"implied vols of all {q.mid.size:,} two-sided quotes", solve, 1, accuracy, exact=error < 1e-10
    )


def _counts(status: np.ndarray[tuple[int, ...], np.dtype[np.int32]]) -> tuple[list[int], list[int]]:
    codes, counts = np.unique(status, return_counts=True)
    return codes.tolist(), counts.tolist()


def _smiles(s: Smiles, forwards: list[Forward]) -> Row:
    """As the service fits them: β 1, weights of the vol spread."""
    level = np.array([each.forward if each.known else 1.0 for each in forwards])
    years = np.ones(level.size)
    years[s.expiry] = s.years
    fit = partial(
        sabr.calibrate_many,
        *(level, years, s.strike, s.mid_iv, s.offsets),
        beta=SETTINGS.beta,
        weights=np.maximum(s.vol_spread, SETTINGS.min_vol_spread) ** -2.0,
    )
    fits = fit()
    sizes = np.diff(s.offsets)
    converged = int(fits.converged[sizes >= 3].sum())
    accuracy = (
        f"{converged} of {int((sizes >= 3).sum())} converged, rmse median {np.nanmedian(fits.rmse):.1e}"
    )
    return timed(f"SABR, {level.size} smiles of {s.strike.size:,} quotes out of the money", fit, 1, accuracy)


def _heston(s: Smiles) -> Callable[..., heston.HestonFit]:
    return partial(heston.calibrate, s.forward, s.strike, s.years, s.mid_iv)


def _surface(s: Smiles) -> Row:
    fit = _heston(s)
    found = fit()
    accuracy = f"rmse {found.rmse:.2e}, {found.starts} starts, agreed: {found.agreed}"
    work = f"Heston, one fit of the same {s.strike.size:,} quotes"
    return timed(work, fit, 1, accuracy, exact=found.converged and found.agreed is not False)


def _warm(s: Smiles) -> Row:
    cold = _heston(s)()
    warm = partial(_heston(s), initial=cold.parameters * 1.01)
    apart = abs(warm().sse / cold.sse - 1)
    return timed("Heston, the same, warm", warm, 1, f"SSE within {max(apart, 1e-16):.0e} of the cold fit's")


def _parity(contracts: Contracts, spot: float) -> Row:
    """An input of the stages; the service's, in NumPy."""
    forwards = partial(forwards_of, contracts, spot, False, SETTINGS)
    return timed("apart: forwards from put–call parity (NumPy)", forwards, 1, "")
