"""The level of vol against its long-run mean."""

from __future__ import annotations

import math
from collections.abc import Iterator

from skewline.servers.runtime.day_count import DAYS_A_YEAR
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Seen
from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.strategies.level import LevelView, level_idea
from skewline.servers.signal.view import GOOD, SurfaceView
from skewline.v1 import signal_pb2


class MeanReversion:
    """Holds log vol to go back to its Ornstein-Uhlenbeck mean; needs a good fit and a far enough distance.

    After h years x is expected at m + (x - m) e^{-κh}, with variance σ² (1 - e^{-2κh}) / 2κ plus that of the
    mean. The horizon is two half-lives, within the settings' bound.
    """

    def __init__(self, settings: SignalSettings) -> None:
        self._settings = settings

    def ideas(self, surface: SurfaceView, spots: SpotHistory) -> Iterator[Idea]:
        """One at most."""
        ou, vol = surface.message.ou, surface.message.atm_vol_30d
        if ou.status != GOOD or not (vol > 0.0 and ou.kappa > 0.0 and ou.sigma > 0.0):
            return
        distance = math.log(vol) - ou.mean
        z_score = distance / (ou.sigma / math.sqrt(2.0 * ou.kappa))
        if abs(z_score) < self._settings.reversion_z_score:
            return
        years = min(2.0 * ou.half_life, self._settings.reversion_max_days / DAYS_A_YEAR)
        kept = math.exp(-ou.kappa * years)
        expected = math.exp(ou.mean + distance * kept)
        spread = math.hypot(
            ou.sigma * math.sqrt((1.0 - kept * kept) / (2.0 * ou.kappa)), ou.mean_stderr * (1.0 - kept)
        )
        view = LevelView(
            strategy=signal_pb2.STRATEGY_MEAN_REVERSION,
            vol_shift=expected - vol,
            vol_error=expected * spread,
            years=years,
            evidence=(
                Seen("atm_vol_30d", vol, "vol"),
                Seen("ou_mean_vol", math.exp(ou.mean), "vol"),
                Seen("ou_z_score", z_score, "sd"),
                Seen("ou_half_life", ou.half_life, "years"),
                Seen("ou_observations", ou.observations, "count"),
            ),
            because=(
                f"30-day vol {vol:.2%} is {abs(z_score):.1f} standard deviations "
                f"{'above' if z_score > 0 else 'below'} its mean {math.exp(ou.mean):.2%}, "
                f"to which it goes back with a half-life of {ou.half_life * DAYS_A_YEAR:.1f} days"
            ),
        )
        idea = level_idea(surface, view, self._settings)
        if idea is not None:
            yield idea
