"""A gateway with a market: SPX and AAPL, and their options as a flat market would quote them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from skewline.cyext import black
from tws_gateway.bars import Bars
from tws_gateway.contracts import Contract, Listings, options_of
from tws_gateway.gateway import TwsGateway, listening
from tws_gateway.quotes import Quotes, State

# Wednesday 2026-07-29, noon in New York.
SPX, AAPL = 416_904, 265_598
SPX_SPOT, AAPL_SPOT = 6250.0, 220.0
_TODAY = date(2026, 7, 29)
WEEKLY, MONTHLY = date(2026, 7, 31), date(2026, 8, 21)
SPX_STRIKES = tuple(6000.0 + 50 * n for n in range(11))
AAPL_STRIKES = tuple(200.0 + 5 * n for n in range(9))
VOL = 0.18


class Market:
    """The gateway, what it lists, what it quotes, and the bars it has."""

    def __init__(self) -> None:
        self.gateway = TwsGateway()
        self.listings = Listings()
        self.quotes = Quotes()
        self.bars = Bars()
        for part in (self.listings, self.quotes, self.bars):
            part.serve(self.gateway)
        self.underlie(Contract(SPX, "SPX", "IND", "CBOE"), SPX_SPOT)
        self.underlie(Contract(AAPL, "AAPL", "STK", "NASDAQ", trading_class="NMS"), AAPL_SPOT)
        spx, aapl = SPX_STRIKES, AAPL_STRIKES
        # The monthly is settled in the morning, and traded until the day before.
        morning = options_of("SPX", "SPX", MONTHLY, spx, first_id=3000, traded_until=date(2026, 8, 20))
        self.offer(options_of("SPX", "SPXW", WEEKLY, spx, first_id=1000), SPX_SPOT)
        self.offer(options_of("SPX", "SPXW", MONTHLY, spx, first_id=2000), SPX_SPOT)
        self.offer(morning, SPX_SPOT)
        self.offer(options_of("AAPL", "AAPL", WEEKLY, aapl, first_id=4000), AAPL_SPOT)
        self.offer(options_of("AAPL", "AAPL", MONTHLY, aapl, first_id=5000), AAPL_SPOT)
        # What a corporate action left: it delivers something else than a share.
        self.offer(options_of("AAPL", "2AAPL", MONTHLY, aapl[:1], first_id=6000), AAPL_SPOT)

    def underlie(self, contract: Contract, spot: float) -> None:
        """List an underlying."""
        self.listings.add(contract)
        self.quotes.states[contract.con_id] = State(last=spot, bid=spot - 0.05, ask=spot + 0.05)

    def offer(self, options: list[Contract], spot: float) -> None:
        """List options, and quote them."""
        self.listings.add(*options)
        for option in options:
            self.quotes.options.add(option.con_id)
            self.quotes.states[option.con_id] = quoted(option, spot)

    def option(self, local_symbol: str) -> int:
        """The id of an option."""
        options = self.listings.options.values()
        return next(each.con_id for each in options if each.local_symbol == local_symbol)


def quoted(option: Contract, spot: float) -> State:
    """A quote of a twentieth around Black's price."""
    expires = date.fromisoformat(option.expires)
    years = (expires - _TODAY).days / 365
    mid = float(black.price(option.right == "C", spot, option.strike, years, 1.0, VOL))
    bid = round(mid - 0.05, 2)
    return State(
        bid=bid if bid > 0 else -1.0,
        ask=round(mid + 0.05, 2),
        volume=25.0,
        open_interest=140.0,
        iv=VOL,
        underlying=spot,
    )


@asynccontextmanager
async def market() -> AsyncIterator[Market]:
    """The market, listening."""
    made = Market()
    async with listening(made.gateway):
        yield made
