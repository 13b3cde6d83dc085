"""A fitted surface as risk looks at it: which vol, forward and discount an option has."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from skewline.servers.risk.option import Option, osi_option
from skewline.servers.runtime.day_count import DAYS_A_YEAR, YEAR_NS
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class Terms:
    """What the model needs to price one option.

    `exact` is False where the option's expiry has no good slice and the nearest good one stands in.
    """

    option: Option
    years: float
    forward: float
    discount: float
    sabr: surface_pb2.SabrFit
    exact: bool


class SurfaceView:
    """Lookup over one surface, made once a surface."""

    def __init__(self, surface: surface_pb2.VolSurface) -> None:
        self.surface = surface
        self.snapshot_id = surface.snapshot_id
        self.underlying = surface.underlying
        self.time_ns = surface.time_ns
        self.spot = surface.spot
        self.is_good = surface.status == surface_pb2.FIT_STATUS_GOOD
        self._slices = {(s.root, s.expiry_date): s for s in surface.slices}
        self._good = [s for s in surface.slices if _usable(s)]
        self._native = {
            name: (s, index) for s in surface.slices for index, name in enumerate(s.instrument_id)
        }

    def option(self, instrument_id: str) -> Option | None:
        """The option of an id: an OSI symbol, or an exchange-native id that the surface quotes; else None."""
        option = osi_option(instrument_id)
        if option is not None or instrument_id not in self._native:
            return option
        s, index = self._native[instrument_id]
        return Option(
            instrument_id=instrument_id,
            root=s.root,
            expiry_date=s.expiry_date,
            is_call=s.is_call[index],
            strike=s.strike[index],
            expires_ns=s.expiry_ns,
        )

    def expiry_ns(self, option: Option) -> int:
        """The option's expiry instant: the surface's, or the option's own where that lacks the expiry."""
        found = self._slices.get((option.root, option.expiry_date))
        return found.expiry_ns if found is not None else option.expires_ns

    def knows(self, option: Option) -> bool:
        """Whether the option's own expiry has a good fit."""
        found = self._slices.get((option.root, option.expiry_date))
        return found is not None and _usable(found)

    def terms(self, option: Option) -> Terms | None:
        """How to price the option; None when no slice is good. The option must not have expired."""
        years = (self.expiry_ns(option) - self.time_ns) / YEAR_NS
        found = self._slices.get((option.root, option.expiry_date))
        if found is not None and _usable(found):
            return Terms(option, found.years, found.forward, found.discount, found.sabr, True)
        if not self._good:
            return None
        nearest = min(self._good, key=lambda s: abs(s.years - years))
        share = years / nearest.years
        # The stand-in's carry and rate, taken over the option's own time.
        forward = self.spot * (nearest.forward / self.spot) ** share
        return Terms(option, years, forward, nearest.discount**share, nearest.sabr, False)

    def atm_vol(self) -> float:
        """The vol that scales the scenarios: at 30 days, else of the slice nearest to it; NaN without."""
        vol = self.surface.atm_vol_30d
        if math.isfinite(vol) and vol > 0:
            return vol
        nearest = min(self._good, key=lambda s: abs(s.years - 30 / DAYS_A_YEAR), default=None)
        return nearest.atm_vol if nearest is not None else math.nan

    def spread(self, option: Option) -> float:
        """Quoted spread at the option's strike, or the nearest one quoted; NaN without quotes.

        Slices hold the out-of-the-money side; by put-call parity the other side's spread is much the same.
        """
        found = self._slices.get((option.root, option.expiry_date))
        if found is None or not found.strike or len(found.bid) != len(found.strike):
            return math.nan
        strikes = found.strike
        right = min(bisect_left(strikes, option.strike), len(strikes) - 1)
        left = max(right - 1, 0)
        near = min((left, right), key=lambda i: abs(strikes[i] - option.strike))
        return found.ask[near] - found.bid[near]


def _usable(s: surface_pb2.VolSlice) -> bool:
    return s.status == surface_pb2.FIT_STATUS_GOOD and s.years > 0 and s.forward > 0 and s.discount > 0
