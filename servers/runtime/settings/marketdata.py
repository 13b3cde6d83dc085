"""Settings of the market data service."""

from datetime import time

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class MarketDataSettings(Section):
    """How long a replay waits, and what a source of chains does not say."""

    watermark_timeout_s: float = Field(default=60.0, gt=0)
    """Seconds that a replay waits for a snapshot's consequences before it gives up with an error."""
    cboe_snapshot_time: time = time(15, 0)
    """New York time at which the daily Cboe chains are taken to have been seen; the files do not say."""
