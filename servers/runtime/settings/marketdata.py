"""Settings of the market data service."""

import re
from datetime import time

from pydantic import BaseModel, Field, field_validator

from skewline.servers.runtime.settings.live import LiveSettings
from skewline.servers.runtime.settings.section import Section

_SYMBOL = re.compile(r"[A-Z0-9_-]{1,32}")


class MarketDataSettings(Section):
    """Which live feeds run, how long a replay waits, and what a source of chains does not say."""

    feeds: tuple[str, ...] = ()
    """Live feeds that begin with the service, each a venue and its symbol, such as cboe:SPX."""

    live: LiveSettings = LiveSettings()
    """How live feeds connect."""

    watermark_timeout_s: float = Field(default=60.0, gt=0)
    """Seconds that a replay waits for a snapshot's consequences before it gives up with an error."""
    stale_after_s: float = Field(default=600.0, ge=0)
    """Seconds by which live data may be behind its receipt, beyond its source's delay; 0: any."""
    delayed_by_s: float = Field(default=900.0, ge=0)
    """Seconds that delayed data is behind the market where its venue has no delay_s."""
    keep_accepted_days: float = Field(default=0.0, ge=0, le=36_500)
    """Days before an underlying's newest accepted snapshot that these (and so bars) reach back; 0: all."""
    keep_rejected_days: float = Field(default=0.0, ge=0, le=36_500)
    """Days before an underlying's newest snapshot that rejected ones and the quarantine are kept; 0: all."""
    keep_trades_days: float = Field(default=0.0, ge=0, le=36_500)
    """Days before the newest trade of all that trades are kept; 0: all."""
    keep_order_books_days: float = Field(default=0.0, ge=0, le=36_500)
    """Days before an instrument's newest order book that stored ones are kept; 0: all."""
    store_order_books_every_s: float = Field(default=60.0, ge=0)
    """Seconds of the venue's time from one stored order book of an instrument to the next; 0: none."""
    keep_messages: int = Field(default=1000, ge=1)
    """Published messages that are no chains are kept in the quarantine up to this number, the newest."""
    cboe_snapshot_time: time = time(15, 0)
    """New York time at which the daily Cboe chains are taken to have been seen; the files do not say."""

    @field_validator("feeds")
    @classmethod
    def _known_and_once(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        for feed in feeds:
            if fault := feed_fault(feed):
                raise ValueError(f"{feed!r} {fault}")
        symbols = [feed.partition(":")[2] for feed in feeds]
        if twice := sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
            raise ValueError(f"{twice[0]} is brought twice; name one feed for it")
        return feeds


def venues() -> tuple[str, ...]:
    """The venues of live feeds: those with a section of their own."""
    fields = LiveSettings.model_fields.items()
    return tuple(
        name
        for name, field in fields
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    )


def feed_fault(feed: str) -> str:
    """What is wrong with the name of a feed, and the fix; empty if nothing is."""
    venue, colon, symbol = feed.partition(":")
    if not colon or venue not in venues():
        return f"must be VENUE:SYMBOL, with a venue of {', '.join(venues())}"
    if not _SYMBOL.fullmatch(symbol):
        return "must have a symbol of capital letters, digits, '_' and '-' behind the colon"
    return ""
