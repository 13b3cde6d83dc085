"""Feeds of Interactive Brokers from a gateway on the loopback interface, for tests."""

from __future__ import annotations

from live_feeds import Audience
from tws_gateway.market import Market

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.runtime.instruments import contract_ids
from skewline.servers.runtime.settings.live import IbkrSettings, LiveSettings
from skewline.v1 import chain_pb2

CALL = "SPXW  260731C06250000"
"""At the money, of the nearest expiry: always listened to."""
FAR = "SPX   260821P06000000"
"""Far from the money, of the last expiry: listened to in its turn."""


def venues_of(tws: Market, clock: Clock, **changed: object) -> Venues:
    """The venues, with a gateway that answers at once."""
    settings = {"port": tws.gateway.port, "interval_s": 0.1, "timeout_s": 10.0, **changed}
    return Venues(LiveSettings(ibkr=IbkrSettings.model_validate(settings)), clock)


def source_of(tws: Market, clock: Clock, feed: str = "ibkr:SPX", **changed: object) -> LiveSource:
    """The source of a feed."""
    return venues_of(tws, clock, **changed).open(feed)


def bid_of(chain: chain_pb2.OptionChain, symbol: str) -> float:
    """The bid of an option; NaN if it is not in the chain."""
    bids = dict(zip(contract_ids(chain), chain.bid, strict=True))
    return bids.get(symbol, float("nan"))


def newest_bid(audience: Audience, symbol: str) -> float:
    """The bid of an option in the newest chain."""
    return bid_of(audience.chains[-1], symbol)
