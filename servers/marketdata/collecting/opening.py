"""From what a person asks to collect to the collector of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from skewline.servers.marketdata.collecting.collector import Collector, Say
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.runtime.settings.live import BinanceSettings
from skewline.servers.runtime.settings.marketdata import MarketDataSettings, feed_fault, venues

# A feed asked this seldom is late only after the second question without news.
_PATIENCE: Final = 2.5


class CollectFault(ValueError):
    """What was asked for cannot be collected; the message says why, and the fix."""


def collector_of(
    feeds: Sequence[str],
    folder: Path,
    *,
    settings: MarketDataSettings,
    every_s: float,
    clock: Clock,
    random: Random,
    say: Say,
) -> Collector:
    """A collector of `feeds`, asked every `every_s` seconds (0: as the settings say). Raises CollectFault."""
    for feed in feeds:
        if fault := feed_fault(feed):
            raise CollectFault(f"{feed!r} {fault}")
        if isinstance(getattr(settings.live, feed.partition(":")[0]), BinanceSettings):
            raise CollectFault(f"{feed!r} brings order books and trades, no chains: leave it out")
    paced = _paced(settings, every_s)
    opened = Venues(paced.live, clock)
    sources = [opened.open(feed) for feed in feeds]
    brought = [source.underlying for source in sources]
    if twice := sorted({name for name in brought if brought.count(name) > 1}):
        raise CollectFault(f"{twice[0]} would be brought twice: name one feed for it")
    return Collector(
        dict(zip(feeds, sources, strict=True)), folder, settings=paced, clock=clock, random=random, say=say
    )


def _paced(settings: MarketDataSettings, every_s: float) -> MarketDataSettings:
    if not every_s:
        return settings
    sections = {}
    for venue in venues():
        section = getattr(settings.live, venue)
        if not hasattr(section, "interval_s") or isinstance(section, BinanceSettings):
            continue
        stale_after_s = max(getattr(section, "stale_after_s", 0.0), _PATIENCE * every_s)
        sections[venue] = section.model_copy(update={"interval_s": every_s, "stale_after_s": stale_after_s})
    return settings.model_copy(update={"live": settings.live.model_copy(update=sections)})
