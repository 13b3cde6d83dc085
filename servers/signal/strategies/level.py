"""What the strategies on the level of vol share: an iron butterfly nearest 30 days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from skewline.servers.runtime.day_count import DAY_NS, DAYS_A_YEAR
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Seen
from skewline.servers.signal.iron_fly import iron_fly
from skewline.servers.signal.structure import outcome_stdev, value
from skewline.servers.signal.view import SurfaceView
from skewline.v1 import signal_pb2

THIRTY_DAYS: Final = 30.0 / DAYS_A_YEAR


@dataclass(frozen=True, slots=True)
class LevelView:
    """What a strategy holds of the level: by how much vol is to change, how sure, over what time, and why."""

    strategy: signal_pb2.Strategy.ValueType
    vol_shift: float
    vol_error: float
    years: float
    evidence: tuple[Seen, ...]
    because: str


def level_idea(surface: SurfaceView, view: LevelView, settings: SignalSettings) -> Idea | None:
    """Buys the butterfly if vol is to rise, sells it if vol is to fall; None where it cannot be built."""
    quotes = surface.nearest(THIRTY_DAYS)
    if quotes is None:
        return None
    side = 1 if view.vol_shift > 0.0 else -1
    legs = iron_fly(
        quotes,
        side,
        vol_shift=view.vol_shift,
        vol_error=view.vol_error,
        wing_deviations=settings.wing_deviations,
    )
    if not legs:
        return None
    valuation = value(legs, common_error=True)
    held = min(view.years, quotes.years)
    return Idea(
        strategy=view.strategy,
        theme=f"level:{side}",
        legs=legs,
        valuation=valuation,
        stdev=outcome_stdev(
            valuation,
            forward=quotes.forward,
            vol=quotes.message.atm_vol,
            years=held,
            vol_of_vol=surface.vol_of_vol(settings.vol_of_vol),
        ),
        fit_error=quotes.message.sabr.rmse,
        horizon_ns=round(held * DAYS_A_YEAR * DAY_NS),
        evidence=(*view.evidence, Seen("atm_iv", quotes.message.atm_vol, "vol")),
        explanation=f"{'buys' if side > 0 else 'sells'} an iron butterfly of {quotes.name}: {view.because}",
    )
