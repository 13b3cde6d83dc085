"""From the name of a feed to its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from skewline.servers.marketdata.live.alpaca import AlpacaSource
from skewline.servers.marketdata.live.alpaca_rest import AlpacaRest
from skewline.servers.marketdata.live.alpaca_stream import AlpacaStream
from skewline.servers.marketdata.live.binance import BinanceSource, LastTrade
from skewline.servers.marketdata.live.binance_market import FUTURES, SPOT, Market
from skewline.servers.marketdata.live.cboe import cboe_source
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.deribit import DeribitSource
from skewline.servers.marketdata.live.http import Http
from skewline.servers.marketdata.live.ibkr.account import Account
from skewline.servers.marketdata.live.ibkr.feed import IbkrSource
from skewline.servers.marketdata.live.rate_limit import RateLimit
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.marketdata.live.yahoo import Yahoo, yahoo_source
from skewline.servers.runtime.settings.live import BinanceSettings, LiveSettings


async def no_trade_before(instrument_id: str) -> int:
    """For those who keep no trades."""
    return 0


class Venues:
    """The venues of live feeds; what must be shared by all feeds of one, such as its rate limit, is here.

    `last_trade` tells which trade of an instrument was stored last, so that a feed goes on behind it.
    """

    def __init__(self, settings: LiveSettings, clock: Clock, last_trade: LastTrade = no_trade_before) -> None:
        cboe = settings.cboe
        cboe_http = Http(cboe.url, requests_per_s=cboe.requests_per_s, timeout_s=cboe.timeout_s, clock=clock)
        deribit = settings.deribit
        deribit_http = Http(
            deribit.url, requests_per_s=deribit.requests_per_s, timeout_s=deribit.timeout_s, clock=clock
        )
        deribit_limit = RateLimit(deribit.requests_per_s, clock)
        yahoo = Yahoo(settings.yahoo, clock)
        alpaca = AlpacaRest(settings.alpaca, clock)
        alpaca_stream = AlpacaStream(settings.alpaca, alpaca)
        ibkr = settings.ibkr
        ibkr_account = Account(lines=ibkr.lines, client_id=ibkr.client_id)
        # By the name that the venue's section has in the settings.
        self._open: Mapping[str, Callable[[str], LiveSource]] = {
            "cboe": lambda symbol: cboe_source(symbol, cboe, cboe_http, clock),
            "binance": self._binance("binance", SPOT, settings.binance, clock, last_trade),
            "binance_futures": self._binance(
                "binance_futures", FUTURES, settings.binance_futures, clock, last_trade
            ),
            "deribit": lambda symbol: DeribitSource(symbol, deribit, deribit_http, deribit_limit, clock),
            "yahoo": lambda symbol: yahoo_source(symbol, settings.yahoo, yahoo, clock),
            "alpaca": lambda symbol: AlpacaSource(symbol, settings.alpaca, alpaca, alpaca_stream, clock),
            "ibkr": lambda symbol: IbkrSource(symbol, ibkr, ibkr_account, clock),
        }

    def open(self, feed: str) -> LiveSource:
        """The source of "venue:SYMBOL", a name in which `feed_fault` finds nothing wrong."""
        venue, _, symbol = feed.partition(":")
        return self._open[venue](symbol)

    def _binance(
        self, venue: str, market: Market, settings: BinanceSettings, clock: Clock, last_trade: LastTrade
    ) -> Callable[[str], LiveSource]:
        http = Http(
            settings.url, requests_per_s=settings.requests_per_s, timeout_s=settings.timeout_s, clock=clock
        )
        return lambda symbol: BinanceSource(f"{venue}:{symbol}", market, settings, http, clock, last_trade)
