"""Realised volatility from the spots seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skewline.servers.runtime.corporate_actions import price_ratio
from skewline.servers.runtime.day_count import DAY_NS, YEAR_NS
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.v1 import corporate_action_pb2


@dataclass(frozen=True, slots=True)
class Realised:
    """Realised vol, its standard error, and the returns it rests on."""

    vol: float
    stderr: float
    returns: int


@dataclass(frozen=True, slots=True)
class SpotHistory:
    """(data time in ns, spot), oldest first."""

    spots: tuple[tuple[int, float], ...] = ()

    def in_units_after(self, action: corporate_action_pb2.CorporateAction) -> SpotHistory:
        """The same history as prices after a corporate action."""
        ratio = price_ratio(action)
        return self if ratio == 1.0 else SpotHistory(tuple((t, spot * ratio) for t, spot in self.spots))

    def after(self, time_ns: int, spot: float, most: int) -> SpotHistory:
        """With one more, unless it is unknown or not newer; the newest `most` are kept."""
        if not (math.isfinite(spot) and spot > 0.0) or (self.spots and time_ns <= self.spots[-1][0]):
            return self
        return SpotHistory((*self.spots, (time_ns, spot))[-most:])

    def realised(self, settings: SignalSettings) -> Realised | None:
        """Exponentially weighted squared log returns over calendar time, the clock of implied vol.

        σ² = Σ w r² / Σ w Δt with w = exp(-age / decay); Δt is ACT/365, so that nights and weekends count as
        they do in an option's time to expiry, and returns over any spacing go together. The standard error
        is σ / sqrt(2 n) for n effective returns. None for a history that is too short.
        """
        if len(self.spots) <= settings.realised_min_returns:
            return None
        times = np.array([time for time, _ in self.spots], dtype=np.int64)
        if times[-1] - times[0] < settings.realised_min_days * DAY_NS:
            return None
        returns = np.diff(np.log([spot for _, spot in self.spots]))
        spacing = np.diff(times) / YEAR_NS
        weight = np.exp(-(times[-1] - times[1:]) / (settings.realised_decay_days * DAY_NS))
        weight = np.where(np.abs(returns) <= settings.max_return, weight, 0.0)
        span = float((weight * spacing).sum())
        if np.count_nonzero(weight) < settings.realised_min_returns or not span > 0.0:
            return None
        vol = math.sqrt(float((weight * returns**2).sum()) / span)
        # By time, not by number: many returns within one hour say little about the next weeks.
        share = weight * spacing
        effective = float(share.sum() ** 2 / (share**2).sum())
        return Realised(vol, vol / math.sqrt(2.0 * effective), int(np.count_nonzero(weight)))
