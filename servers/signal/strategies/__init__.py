"""The strategies, in the order in which they are asked."""

from __future__ import annotations

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Strategies
from skewline.servers.signal.strategies.implied_realised import ImpliedAgainstRealised
from skewline.servers.signal.strategies.mean_reversion import MeanReversion
from skewline.servers.signal.strategies.term_structure import TermStructure
from skewline.servers.signal.strategies.volatility_arbitrage import VolatilityArbitrage

_TABLE = (VolatilityArbitrage, ImpliedAgainstRealised, MeanReversion, TermStructure)


def strategies_of(settings: SignalSettings) -> Strategies:
    """One of each."""
    return tuple(strategy(settings) for strategy in _TABLE)
