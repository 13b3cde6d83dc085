"""Value at risk and expected shortfall by full revaluation of every position.

Scenarios: the underlying's log return is Student's t (heavy tails after A. McNeil, R. Frey & P. Embrechts,
Quantitative Risk Management, 2005, ch. 2-3), scaled to the surface's at-the-money vol over the horizon; the
log of each vol moves by a normal shock correlated with it, damped for long expiries by sqrt(30 days /
expiry) (weighted vega: N. Taleb, Dynamic Hedging, 1997, ch. 9). The smile stays with its strikes, and the
horizon passes: time to expiry and discounting are shorter by it. Underlyings share one market factor. Every
draw follows from the seed, and the profit is linear in the position: a sum of per-option vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.cyext import portfolio
from skewline.servers.risk.greeks import Doubles, Valuation
from skewline.servers.risk.surface_view import SurfaceView
from skewline.servers.runtime.day_count import DAYS_A_YEAR
from skewline.servers.runtime.settings.risk import ScenarioSettings
from skewline.v1 import risk_pb2

TRADING_DAYS: Final = 252.0
_MONTH: Final = 30.0 / DAYS_A_YEAR
_WEIGHTS: Final = (0.25, 1.5)
_MARKET: Final = 0


@dataclass(frozen=True, slots=True)
class _Draws:
    returns: Doubles
    vols: Doubles


class Scenarios:
    """Seeded draws, made once an underlying, and what they do to options."""

    def __init__(self, settings: ScenarioSettings) -> None:
        self._settings = settings
        self._draws: dict[str, _Draws] = {}
        generator = np.random.default_rng([settings.seed, _MARKET])
        self._market = generator.standard_normal(settings.count)
        # One mixing variable for all underlyings, so that their tails come together.
        dof = settings.degrees_of_freedom
        self._mixing = np.sqrt((dof - 2.0) / generator.chisquare(dof, settings.count))

    def zero(self) -> Doubles:
        """The profit of holding nothing, one a scenario."""
        return np.zeros(self._settings.count)

    def profit(
        self, view: SurfaceView, valuation: Valuation, weights: Doubles, horizon_days: float = 1.0
    ) -> Doubles:
        """Profit in each scenario of options held in `weights` (quantity times multiplier), currency.

        Options without a price are left out, expired ones do not move.
        """
        vol = view.atm_vol()
        if not valuation.live.size or not math.isfinite(vol):
            return self.zero()
        c, draws = valuation.columns, self._of(view.underlying)
        horizon = horizon_days / TRADING_DAYS
        spread = vol * math.sqrt(horizon)
        moves = np.exp(spread * draws.returns - 0.5 * spread**2)
        damped = np.clip(np.sqrt(_MONTH / np.maximum(c.years, 1e-6)), *_WEIGHTS)
        shocks = self._settings.vol_of_vol * math.sqrt(horizon) * damped
        return portfolio.revalue(
            *(c.is_call, c.forward, c.strike, c.years, c.discount),
            vol=c.vol * np.exp(-0.5 * shocks**2),
            quantity=weights[valuation.live],
            spot_factor=moves,
            vol_shock=draws.vols,
            vol_weight=shocks,
            time_passed=horizon,
            base=valuation.rows[-1, valuation.live],
        ).profit

    def measure(self, profit: Doubles, confidence: float, horizon_days: float) -> risk_pb2.ValueAtRisk:
        """Value at risk and expected shortfall of a profit vector."""
        loss = np.sort(-profit)
        first = tail_start(loss.size, confidence)
        return risk_pb2.ValueAtRisk(
            confidence=confidence,
            horizon_days=horizon_days,
            value_at_risk=float(loss[first]),
            expected_shortfall=float(loss[first:].mean()),
            scenarios=loss.size,
            seed=self._settings.seed,
        )

    def _of(self, underlying: str) -> _Draws:
        draws = self._draws.get(underlying)
        if draws is None:
            draws = self._draws[underlying] = self._draw(underlying)
        return draws

    def _draw(self, underlying: str) -> _Draws:
        s = self._settings
        generator = np.random.default_rng([s.seed, *underlying.encode()])
        own, vol = generator.standard_normal((2, s.count))
        normal = math.sqrt(s.underlying_correlation) * self._market
        normal = normal + math.sqrt(1.0 - s.underlying_correlation) * own
        rho = s.spot_vol_correlation
        return _Draws(normal * self._mixing, rho * normal + math.sqrt(1.0 - rho**2) * vol)


def tail_start(scenarios: int, confidence: float) -> int:
    """Index, among ascending losses, of the loss that is not exceeded with this confidence."""
    return min(math.ceil(scenarios * confidence - 1e-9), scenarios) - 1


def loss_at(profit: npt.NDArray[np.float64], confidence: float) -> float:
    """Value at risk of a profit vector, without the rest."""
    index = tail_start(profit.size, confidence)
    return float(np.partition(-profit, index)[index])
