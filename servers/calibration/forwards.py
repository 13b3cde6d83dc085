"""Forward and discount factor of every expiry of a chain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from skewline.servers.calibration.american_style import european_pairs
from skewline.servers.calibration.cash_dividends import NO_DIVIDENDS, CashDividends
from skewline.servers.calibration.contracts import HIGHEST, LOWEST, Contracts, Doubles
from skewline.servers.calibration.parity import ParityLine, ParityPairs, forward_given, parity_line
from skewline.servers.calibration.rates.curve import Curve
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2

_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Forward:
    """Forward and discount of one expiry; `reasons` say which of them does not come from its own quotes."""

    forward: float
    stderr: float
    discount: float
    reasons: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a forward at all."""
        return self.forward > 0.0


@dataclass(frozen=True, slots=True)
class Lent:
    """The rate of an expiry whose own quotes do not say it, and the reason that tells where it is from."""

    rate: float
    reason: str


NO_FORWARD = Forward(0.0, 0.0, 0.0, ("NO_FORWARD",))


def forwards_of(
    contracts: Contracts,
    spot: float,
    american: bool,
    settings: CalibrationSettings,
    expiries: Sequence[chain_pb2.ChainExpiry] = (),
    curve: Curve | None = None,
    dividends: CashDividends = NO_DIVIDENDS,
) -> list[Forward]:
    """One `Forward` an expiry: what its entry in `expiries` states, or what its quotes say.

    European: the line through the pairs gives both. Where it says the rate imprecisely (short expiries, few
    pairs), or the options are American (whose parity is an inequality away from the money), the rate comes
    from `curve`, or without one from the other expiries or the settings, and the forward from the pairs at
    that rate; those of American options then again with the pairs' European prices, cash `dividends` until
    an expiry taken as such. An expiry without pairs gets its neighbours' carry.
    """
    years = contracts.years
    pairs = [_pairs(contracts, index) for index in range(years.size)]
    lines = [None if american or each is None else _line(each, settings) for each in pairs]
    believed = [_believed(line, t, settings) for line, t in zip(lines, years, strict=True)]
    rates = _rates(lines, believed, years, settings, curve)
    lent = "RATE_NOT_FROM_EXPIRY" if curve is None else "RATE_FROM_CURVE"
    found = [
        _forward(line if sure else None, each, Lent(rate, lent), t, american, settings)
        for line, sure, each, rate, t in zip(lines, believed, pairs, rates, years, strict=True)
    ]
    if american and spot_known(spot):
        found = _europeanised(found, pairs, years, spot, dividends, settings)
    for index, expiry in enumerate(expiries):
        if spot_known(expiry.forward) and years[index] > 0.0:
            # A future that trades says it better than pairs of options do.
            known = 0.0 < expiry.discount < math.inf
            discount = expiry.discount if known else math.exp(-rates[index] * years[index])
            found[index] = Forward(expiry.forward, 0.0, discount, ("FORWARD_FROM_VENUE",))
    return _carried(found, years, rates, spot, lent)


def levels(forwards: Sequence[Forward]) -> Doubles:
    """The forward of each expiry, NaN where there is none."""
    return np.array([each.forward if each.known else math.nan for each in forwards])


def spot_known(spot: float) -> bool:
    """Whether the chain says the underlying's price."""
    return LOWEST <= spot < HIGHEST


def _europeanised(
    found: list[Forward],
    pairs: list[ParityPairs | None],
    years: Doubles,
    spot: float,
    dividends: CashDividends,
    settings: CalibrationSettings,
) -> list[Forward]:
    refined = list(found)
    near = {
        index: each.nearest(forward.forward, settings.american_pairs)
        for index, (forward, each) in enumerate(zip(found, pairs, strict=True))
        if each is not None and forward.known
    }
    unsettled = list(near)
    # The premium depends on the forward that it corrects; it settles at once or nearly so.
    for _ in range(_ROUNDS):
        if not unsettled:
            break
        known = [refined[index] for index in unsettled]
        european = european_pairs(
            [near[index] for index in unsettled],
            np.array([each.forward for each in known]),
            np.array([each.discount for each in known]),
            years[unsettled],
            spot,
            dividends,
        )
        again = []
        for index, before, each in zip(unsettled, known, european, strict=True):
            if not each.strike.size:
                continue
            level, stderr = forward_given(before.discount, each)
            refined[index] = replace(before, forward=level, stderr=stderr)
            if abs(level - before.forward) > stderr:
                again.append(index)
        unsettled = again
    return refined


def _pairs(contracts: Contracts, index: int) -> ParityPairs | None:
    start, stop = np.searchsorted(contracts.expiry, [index, index + 1])
    rows = start + np.flatnonzero(contracts.usable[start:stop])
    strike, is_call = contracts.strike[rows], contracts.is_call[rows]
    calls = rows[:-1][is_call[:-1] & ~is_call[1:] & (strike[:-1] == strike[1:])]
    if not calls.size:
        return None
    puts = rows[np.searchsorted(rows, calls) + 1]
    mid, bid, ask = contracts.mid, contracts.bid, contracts.ask
    half = 0.5 * ((ask[calls] - bid[calls]) + (ask[puts] - bid[puts]))
    # Locked quotes are no more exact than a tick.
    return ParityPairs(
        contracts.strike[calls], mid[calls], mid[puts], np.maximum(half, 1e-4 * mid[calls] + 0.01)
    )


def _line(pairs: ParityPairs, settings: CalibrationSettings) -> ParityLine | None:
    return parity_line(pairs.within(pairs.at_the_money(), settings.parity_log_moneyness))


def _believed(line: ParityLine | None, years: float, settings: CalibrationSettings) -> bool:
    if line is None or years <= 0.0 or not line.forward > 0.0:
        return False
    precise = line.discount_stderr / line.discount <= settings.max_rate_stderr * years
    return precise and abs(math.log(line.discount)) <= settings.max_rate * years


def _rates(
    lines: list[ParityLine | None],
    believed: list[bool],
    years: Doubles,
    settings: CalibrationSettings,
    curve: Curve | None,
) -> Doubles:
    if curve is not None:
        return curve.rate(years)
    own = [
        (t, -math.log(line.discount) / t)
        for line, sure, t in zip(lines, believed, years, strict=True)
        if line is not None and sure
    ]
    if not own:
        return np.full(years.size, settings.fallback_rate)
    known_years, known_rates = (np.array(column) for column in zip(*own, strict=True))
    order = np.argsort(known_years, kind="stable")
    rates: Doubles = np.interp(years, known_years[order], known_rates[order])
    return rates


def _forward(
    line: ParityLine | None,
    pairs: ParityPairs | None,
    lent: Lent,
    years: float,
    american: bool,
    settings: CalibrationSettings,
) -> Forward:
    if years <= 0.0 or pairs is None:
        return NO_FORWARD
    if line is not None:
        return Forward(line.forward, line.forward_stderr, line.discount)
    near = pairs.nearest(pairs.at_the_money(), settings.american_pairs)
    discount = math.exp(-lent.rate * years)
    forward, stderr = forward_given(discount, near if american else pairs.within(pairs.at_the_money(), 0.1))
    if not forward > 0.0:
        return NO_FORWARD
    return Forward(forward, stderr, discount, (lent.reason,))


def _carried(found: list[Forward], years: Doubles, rates: Doubles, spot: float, lent: str) -> list[Forward]:
    known = [(t, math.log(each.forward)) for t, each in zip(years, found, strict=True) if each.known]
    if spot_known(spot):
        known.insert(0, (0.0, math.log(spot)))
    if len(known) < 2:
        return found
    known_years, known_logs = (np.array(column) for column in zip(*known, strict=True))
    filled = []
    for each, t, rate in zip(found, years, rates, strict=True):
        if each.known or t <= 0.0 or t > known_years[-1]:
            filled.append(each)
            continue
        forward = math.exp(float(np.interp(t, known_years, known_logs)))
        filled.append(
            replace(
                each,
                forward=forward,
                discount=math.exp(-rate * t),
                reasons=(lent, "FORWARD_INTERPOLATED"),
            )
        )
    return filled
