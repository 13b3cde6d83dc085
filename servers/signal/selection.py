"""Which candidates become signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.aggregate import Candidate
from skewline.servers.signal.memory import OpenIdea


@dataclass(frozen=True, slots=True)
class Selected:
    """The signals, best first, and why the others are none, by reason."""

    candidates: tuple[Candidate, ...]
    filtered: dict[str, int]


def select(
    candidates: Sequence[Candidate], open_ideas: Sequence[OpenIdea], settings: SignalSettings
) -> Selected:
    """Best first by edge over its standard deviation; the first rule that a candidate breaks counts it.

    No contract is used by two signals that are open at the same time.
    """
    themes = {idea.theme for idea in open_ideas}
    instruments = {instrument for idea in open_ideas for instrument in idea.instruments}
    chosen: list[Candidate] = []
    filtered: dict[str, int] = {}
    ranked = sorted(candidates, key=lambda each: (-each.score, each.signal.signal_id))
    for each in ranked:
        signal = each.signal
        contracts = sum(leg.ratio for leg in signal.legs)
        used = {leg.instrument_id for leg in signal.legs}
        rules = {
            "EDGE_TOO_SMALL": signal.edge <= settings.min_edge_per_contract * contracts,
            "CONFIDENCE": signal.confidence <= settings.min_confidence,
            "OPEN_IDEA": each.theme in themes,
            "CONTRACT_IN_USE": bool(used & instruments),
            "BEYOND_MOST": len(chosen) >= settings.max_signals,
        }
        reason = next((reason for reason, broken in rules.items() if broken), "")
        if reason:
            filtered[reason] = filtered.get(reason, 0) + 1
            continue
        chosen.append(each)
        themes.add(each.theme)
        instruments |= used
    return Selected(tuple(chosen), filtered)
