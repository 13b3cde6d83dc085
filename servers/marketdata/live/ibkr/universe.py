"""Which options a connection follows: listed now and then, and put in order as the market moves."""

from __future__ import annotations

from typing import Final

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.interest import by_interest
from skewline.servers.marketdata.live.ibkr.lines import Lines
from skewline.servers.marketdata.live.ibkr.listing import Listing, list_options
from skewline.servers.marketdata.live.ibkr.underlying import UnderlyingLine
from skewline.servers.marketdata.live.source import Missed, SourceFault
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import IbkrSettings

_REORDER_S: Final = 30.0


class Universe:
    """The options of an underlying; `lines` are told of every change."""

    def __init__(
        self,
        gateway: Gateway,
        underlying: UnderlyingLine,
        lines: Lines,
        settings: IbkrSettings,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._underlying = underlying
        self._lines = lines
        self._settings = settings
        self._clock = clock
        self._listing = Listing((), ())
        self._listed_at = self._ordered_at = clock.monotonic()

    async def list(self) -> tuple[str, ...]:
        """List the options; returns what of them could not be had. Raises SourceFault."""
        self._listed_at = self._clock.monotonic()
        today = new_york.date_of(self._clock.time_ns())
        self._listing = await list_options(
            self._gateway, self._underlying.contract, today=today, expiries=self._settings.expiries
        )
        self._lines.relisted()
        self._order()
        return self._listing.troubles

    async def keep(self) -> Missed | None:
        """List and order anew as it is due. Raises SourceFault if the connection ended."""
        now = self._clock.monotonic()
        if now - self._listed_at >= self._settings.relist_s:
            try:
                troubles = await self.list()
            except SourceFault as fault:
                self._gateway.check()
                return Missed("INCOMPLETE_LISTING", f"the options were not listed anew: {fault}")
            return incomplete(troubles)
        if now - self._ordered_at >= _REORDER_S:
            self._order()
        return None

    def _order(self) -> None:
        self._ordered_at = self._clock.monotonic()
        self._lines.want(by_interest(self._listing.options, self._underlying.near, self._settings.strikes))


def incomplete(troubles: tuple[str, ...]) -> Missed | None:
    """What could not be listed, as it is told."""
    if not troubles:
        return None
    return Missed("INCOMPLETE_LISTING", f"{len(troubles)} troubles with the listing: {troubles[0]}")
