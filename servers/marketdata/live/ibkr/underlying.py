"""The line of the underlying itself."""

from __future__ import annotations

import math

from ib_insync.contract import Contract

from skewline.servers.marketdata.live.ibkr.account import LineShare
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.listing import list_underlying
from skewline.servers.marketdata.live.ibkr.quote import MARKET_DATA_TYPES, Quote
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime.settings.live import IbkrSettings


async def listen_to_underlying(
    gateway: Gateway, share: LineShare, symbol: str, settings: IbkrSettings
) -> UnderlyingLine:
    """Find the underlying, and listen to it. Raises SourceFault."""
    gateway.use(MARKET_DATA_TYPES[settings.market_data])
    return UnderlyingLine(gateway, share, await list_underlying(gateway, symbol))


class UnderlyingLine:
    """Listens to the underlying all the time. Raises SourceFault when the account has no line for it."""

    def __init__(self, gateway: Gateway, share: LineShare, contract: Contract) -> None:
        if not share.take():
            fix = "raise marketdata.live.ibkr.lines, or stop another feed"
            raise SourceFault("TOO_MANY_LINES", f"no market data line is left for {contract.symbol}; {fix}")
        self.contract = contract
        self.quote = Quote()
        self._gateway = gateway
        self._request_id = gateway.listen(contract, self.quote, option=False)

    @property
    def near(self) -> float:
        """About where it is, to choose strikes by: its price, or its last close; NaN if nothing is known."""
        spot = self.quote.spot
        return spot if math.isfinite(spot) else self.quote.close or math.nan

    def is_line(self, request_id: int) -> bool:
        """Whether a message by number is about this line."""
        return request_id == self._request_id

    def renew(self) -> None:
        """Make the subscription again; nothing is known until it speaks."""
        self._gateway.let_go(self._request_id)
        self.quote = Quote()
        self._request_id = self._gateway.listen(self.contract, self.quote, option=False)
