"""How old what is live or delayed may be when it is received: what its source's delay explains, and a bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skewline.servers.runtime.settings.marketdata import MarketDataSettings, venues
from skewline.v1 import chain_pb2, common_pb2

_NANOS_A_SECOND = 1e9


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds allowed beyond the delay, 0 for any age; the delay of a venue, and of those who state none."""

    stale_after_s: float = 0.0
    delayed_by_s: float = 0.0
    delay_s: Mapping[str, float] = field(default_factory=dict)

    def allowed_ns(self, chain: chain_pb2.OptionChain) -> int:
        """How far the time of `chain` may be behind its receipt; 0 is any."""
        if not self.stale_after_s:
            return 0
        venue = chain.source.partition(":")[0]
        delayed = chain.provenance == common_pb2.PROVENANCE_DELAYED
        delay_s = self.delay_s.get(venue, self.delayed_by_s if delayed else 0.0)
        return round((delay_s + self.stale_after_s) * _NANOS_A_SECOND)


def freshness_of(settings: MarketDataSettings) -> Freshness:
    """What the settings allow; a venue whose section has a `delay_s` states its delay."""
    sections = {venue: getattr(settings.live, venue) for venue in venues()}
    stated = {venue: each.delay_s for venue, each in sections.items() if hasattr(each, "delay_s")}
    return Freshness(settings.stale_after_s, settings.delayed_by_s, stated)
