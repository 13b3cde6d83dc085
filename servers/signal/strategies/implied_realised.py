"""Implied vol against what the underlying has done."""

from __future__ import annotations

import math
from collections.abc import Iterator

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea, Seen
from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.strategies.level import THIRTY_DAYS, LevelView, level_idea
from skewline.servers.signal.view import SurfaceView
from skewline.v1 import signal_pb2


class ImpliedAgainstRealised:
    """Holds the right implied vol to be realised vol plus the usual risk premium, until the expiry.

    Its error is that of realised vol and of the premium together.
    """

    def __init__(self, settings: SignalSettings) -> None:
        self._settings = settings

    def ideas(self, surface: SurfaceView, spots: SpotHistory) -> Iterator[Idea]:
        """One at most."""
        realised, implied = spots.realised(self._settings), surface.message.atm_vol_30d
        if realised is None or not implied > 0.0:
            return
        # A few quiet days by chance say less than their own small returns pretend.
        stderr = realised.stderr * max(1.0, implied / realised.vol) if realised.vol > 0.0 else implied
        right = realised.vol + self._settings.risk_premium
        view = LevelView(
            strategy=signal_pb2.STRATEGY_IMPLIED_REALISED,
            vol_shift=right - implied,
            vol_error=math.hypot(stderr, self._settings.risk_premium_error),
            years=THIRTY_DAYS,
            evidence=(
                Seen("atm_vol_30d", implied, "vol"),
                Seen("realised_vol", realised.vol, "vol"),
                Seen("realised_vol_stderr", stderr, "vol"),
                Seen("returns", realised.returns, "count"),
                Seen("risk_premium", self._settings.risk_premium, "vol"),
            ),
            because=(
                f"30-day vol is {implied:.2%}, the underlying realised {realised.vol:.2%} "
                f"(±{stderr:.2%}), implied is usually {self._settings.risk_premium:.2%} above that"
            ),
        )
        idea = level_idea(surface, view, self._settings)
        if idea is not None:
            yield idea
