"""How sure a signal is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from scipy.special import ndtr

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.idea import Idea

_SURE: Final = 0.999


def confidence_of(idea: Idea, settings: SignalSettings) -> float:
    """½ + (Φ(edge / error) - ½) · exp(-fit rmse / scale) · exp(-mean relative spread of legs), below 0.999.

    Φ(edge / error) is the probability that the edge is there at all, given the error of the fair price; a bad
    fit and wide quotes draw it towards one half, which is to know nothing.
    """
    valuation = idea.valuation
    if not valuation.error > 0.0:
        return 0.5
    exists = float(ndtr(valuation.edge / valuation.error))
    quality = math.exp(-idea.fit_error / settings.confidence_rmse)
    spreads = [_relative_spread(idea, at) for at in range(len(idea.legs))]
    liquidity = math.exp(-sum(spreads) / len(spreads))
    return min(0.5 + (exists - 0.5) * quality * liquidity, _SURE)


def pooled(confidences: Sequence[float], signs: Sequence[int]) -> float:
    """Confidence in the positive side of opinions taken as independent: their log-odds added by sign."""
    odds = sum(sign * _log_odds(each) for each, sign in zip(confidences, signs, strict=True))
    return min(1.0 / (1.0 + math.exp(-odds)), _SURE)


def _log_odds(confidence: float) -> float:
    bounded = min(max(confidence, 1.0 - _SURE), _SURE)
    return math.log(bounded / (1.0 - bounded))


def _relative_spread(idea: Idea, at: int) -> float:
    leg = idea.legs[at]
    bid, ask = float(leg.slice.bid[leg.index]), float(leg.slice.ask[leg.index])
    return (ask - bid) / (0.5 * (bid + ask))
