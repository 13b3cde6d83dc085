"""What differs between Binance's markets, and the questions to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from skewline.servers.marketdata.live.binance_payload import (
    DepthSnapshot,
    Message,
    Trade,
    read_aggregate,
    read_past,
    read_past_trade,
    read_snapshot,
    read_trade,
)
from skewline.servers.marketdata.live.http import Http

_TRADES_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Market:
    """Which trades it streams, and where those can be asked for that were missed."""

    trade_stream: str
    read_trade: Callable[[Message], Trade]
    past_path: str
    read_past: Callable[[Message], Trade]


SPOT: Final = Market("trade", read_trade, "historicalTrades", read_past_trade)

# Its single trades are neither documented as a stream nor to be had later without a key: those of one order
# at one price come as one.
FUTURES: Final = Market("aggTrade", read_aggregate, "aggTrades", read_aggregate)


class Questions:
    """HTTP questions about one symbol, on the connections of one stream."""

    def __init__(
        self, market: Market, symbol: str, levels: int, http: Http, session: aiohttp.ClientSession
    ) -> None:
        self._market = market
        self._symbol = symbol
        self._levels = levels
        self._http = http
        self._session = session

    async def snapshot(self) -> DepthSnapshot:
        """The book as it stands. Raises SourceFault."""
        return read_snapshot(await self._get(f"depth?symbol={self._symbol}&limit={self._levels}"))

    async def trades(self, first: int, last: int) -> list[Trade]:
        """Trades with ids from `first` to `last`, as far as the venue has them. Raises SourceFault."""
        found: list[Trade] = []
        while first <= last:
            limit = min(last - first + 1, _TRADES_AT_ONCE)
            path = f"{self._market.past_path}?symbol={self._symbol}&fromId={first}&limit={limit}"
            page = read_past(await self._get(path), self._market.read_past)
            found += [each for each in page if first <= each.trade_id <= last]
            if not page or page[-1].trade_id < first:
                break
            first = page[-1].trade_id + 1
        return found

    async def _get(self, path: str) -> bytes:
        answer = await self._http.get(self._session, path)
        assert answer is not None  # no tag was given
        return answer.body
