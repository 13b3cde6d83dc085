"""One expiry's vol at the money against its neighbours'."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.runtime.day_count import DAY_NS, DAYS_A_YEAR
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Seen
from skewline.servers.signal.neighbours import Doubles
from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.structure import Leg, outcome_stdev, value
from skewline.servers.signal.trading_clock import variance_days
from skewline.servers.signal.view import SliceView, SurfaceView
from skewline.v1 import signal_pb2

_FEWEST: Final = 6
_TO_STDEV: Final = 1.4826


@dataclass(frozen=True, slots=True)
class _Kink:
    """`deviation` of the expiry's vol from its neighbours' interpolation in total variance."""

    index: int
    deviation: float
    error: float


class TermStructure:
    """Buys or sells the expiry that sticks out, against a neighbour, as a calendar spread.

    Between neighbours total variance runs by sessions, not by calendar days, where the market closes: else
    every Friday would look dear against the Monday after. What sticks out is measured against how well the
    other expiries follow their neighbours, since events put real kinks into any term structure. The option
    bought never expires first, so that the risk is limited: an expiry too dear is sold against a later one,
    one too cheap is bought against an earlier one.
    """

    def __init__(self, settings: SignalSettings) -> None:
        self._settings = settings

    def ideas(self, surface: SurfaceView, spots: SpotHistory) -> Iterator[Idea]:
        """At most one an expiry."""
        slices = _one_a_day(surface.slices)
        for kink in _kinks(slices, self._settings):
            if abs(kink.deviation) <= kink.error:
                continue
            dear = kink.deviation > 0.0
            idea = self._calendar(surface, slices[kink.index], slices[kink.index + (1 if dear else -1)], kink)
            if idea is not None:
                yield idea

    def _calendar(
        self, surface: SurfaceView, odd: SliceView, neighbour: SliceView, kink: _Kink
    ) -> Idea | None:
        side = -1 if kink.deviation > 0.0 else 1
        shared = _shared_strike(odd, neighbour)
        if shared is None:
            return None
        at, opposite = shared
        fair = max(float(odd.model_iv[at]) - kink.deviation, 0.01)
        known = max(neighbour.message.sabr.rmse, self._settings.min_vol_error)
        legs = [
            Leg(odd, at, side, 1, fair, kink.error),
            Leg(neighbour, opposite, -side, 1, float(neighbour.model_iv[opposite]), known),
        ]
        legs.sort(key=lambda leg: leg.slice.years)
        valuation = value(legs)
        held = min(self._settings.horizon_days / DAYS_A_YEAR, legs[0].slice.years)
        return Idea(
            strategy=signal_pb2.STRATEGY_TERM_STRUCTURE,
            theme=f"kink:{odd.name}:{side}",
            legs=tuple(legs),
            valuation=valuation,
            stdev=outcome_stdev(
                valuation,
                forward=odd.forward,
                vol=odd.message.atm_vol,
                years=held,
                vol_of_vol=surface.vol_of_vol(self._settings.vol_of_vol),
            ),
            fit_error=max(odd.message.sabr.rmse, neighbour.message.sabr.rmse),
            horizon_ns=round(held * DAYS_A_YEAR * DAY_NS),
            evidence=(
                Seen("atm_iv", odd.message.atm_vol, "vol"),
                Seen("interpolated_iv", odd.message.atm_vol - kink.deviation, "vol"),
                Seen("kink_error", kink.error, "vol"),
                Seen("neighbour_atm_iv", neighbour.message.atm_vol, "vol"),
            ),
            explanation=(
                f"{'buys' if side > 0 else 'sells'} {odd.name} against {neighbour.name}: vol at the money "
                f"{odd.message.atm_vol:.2%} is {abs(kink.deviation):.2%} "
                f"{'below' if side > 0 else 'above'} what its neighbours' total variance says "
                f"(±{kink.error:.2%})"
            ),
        )


def _one_a_day(slices: Sequence[SliceView]) -> list[SliceView]:
    """Of AM- and PM-settled expiries of one date the one with more quotes: they are no neighbours in time."""
    best: dict[str, SliceView] = {}
    for each in slices:
        date = each.message.expiry_date
        if date not in best or each.strike.size > best[date].strike.size:
            best[date] = each
    return sorted(best.values(), key=lambda each: each.years)


def _kinks(slices: Sequence[SliceView], settings: SignalSettings) -> list[_Kink]:
    """Each inner expiry's distance from its neighbours' total variance, and that distance's usual size.

    Of the lines through one neighbour on each side, the two before and the two after, the nearest counts, and
    none where they disagree on the side: an event between two expiries lifts all that follow, which the line
    through those shows, and is no mispricing.
    """
    if len(slices) < _FEWEST:
        return []
    vols = np.array([each.message.atm_vol for each in slices])
    years = np.array([each.years for each in slices])
    variance = vols**2 * years
    clock = _clock(slices, settings.non_session_weight)
    inner = np.arange(2, len(slices) - 2)
    lines = [
        variance[inner + a]
        + (clock[inner] - clock[inner + a])
        / (clock[inner + b] - clock[inner + a])
        * (variance[inner + b] - variance[inner + a])
        for a, b in ((-1, 1), (-2, -1), (1, 2))
    ]
    said = np.sqrt(np.maximum(np.stack(lines), 0.0) / years[inner])
    distances = vols[inner] - said
    usual = _TO_STDEV * float(np.median(np.abs(distances[0])))
    nearest = np.take_along_axis(distances, np.argmin(np.abs(distances), axis=0)[np.newaxis], axis=0)[0]
    agreed = np.abs(np.sign(distances).sum(axis=0)) == len(lines)
    return [
        _Kink(
            at,
            float(nearest[place]),
            max(math.hypot(usual, slices[at].message.sabr.rmse), settings.min_vol_error),
        )
        for place, at in enumerate(inner.tolist())
        if agreed[place]
    ]


def _clock(slices: Sequence[SliceView], non_session_weight: float) -> Doubles:
    """Where each expiry stands on the clock of variance; contracts with native ids trade every day."""
    times = np.array([each.message.expiry_ns for each in slices], dtype=np.int64)
    every_day = bool(slices[0].message.instrument_id)
    return variance_days(times, 1.0 if every_day else non_session_weight)


def _shared_strike(odd: SliceView, neighbour: SliceView) -> tuple[int, int] | None:
    """Positions of the strike nearest the money that both quote on the same side, fit to be traded."""
    common, here, there = np.intersect1d(odd.strike, neighbour.strike, return_indices=True)
    fit = (
        odd.tradable[here]
        & neighbour.tradable[there]
        & (odd.is_call[here] == neighbour.is_call[there])
        & (np.abs(np.log(common / odd.forward)) <= odd.message.atm_vol * math.sqrt(odd.years))
    )
    if not fit.any():
        return None
    best = int(np.argmin(np.where(fit, np.abs(common - odd.forward), np.inf)))
    return int(here[best]), int(there[best])
