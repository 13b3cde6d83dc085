"""Interactive Brokers' options of an underlying as a live source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.account import Account
from skewline.servers.marketdata.live.ibkr.bar_reading import BarsSoFar
from skewline.servers.marketdata.live.source import Heard, Patience
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import IbkrSettings
from skewline.v1 import common_pb2


class IbkrSource:
    """The options of `symbol`; `account` is shared by all feeds of the login."""

    def __init__(self, symbol: str, settings: IbkrSettings, account: Account, clock: Clock) -> None:
        self.underlying = symbol
        delayed = settings.market_data.startswith("delayed")
        self.provenance = common_pb2.PROVENANCE_DELAYED if delayed else common_pb2.PROVENANCE_LIVE
        self.patience = Patience(
            stale_after_s=settings.stale_after_s,
            # Whether a silent gateway is still there is asked by the connection itself. Before the first word
            # there are the connection and the listing, each question of which may take its time.
            reconnect_after_s=settings.interval_s + settings.complete_within_s + 6 * settings.timeout_s,
            # Quotes came and went unseen.
            gap_after_s=0.0,
        )
        self._settings = settings
        self._bars = BarsSoFar(symbol)
        self._account = account
        self._clock = clock

    async def stream(self) -> AsyncGenerator[Heard, None]:
        """One connection: begun from the listing, with every line's present state."""
        # Here and not above: ib_insync is loaded when a feed connects, and never without one.
        from skewline.servers.marketdata.live.ibkr.gateway import connected
        from skewline.servers.marketdata.live.ibkr.session import Session
        from skewline.servers.marketdata.live.ibkr.underlying import listen_to_underlying

        with (
            self._account.client_ids.one() as client_id,
            self._account.lines.share(f"ibkr:{self.underlying}") as share,
        ):
            async with connected(self._settings, client_id, self._clock) as gateway:
                # It takes seconds, which chains would wait for.
                await asyncio.to_thread(new_york.load)
                underlying = await listen_to_underlying(gateway, share, self.underlying, self._settings)
                session = Session(
                    gateway,
                    share,
                    underlying,
                    so_far=self._bars,
                    settings=self._settings,
                    clock=self._clock,
                )
                try:
                    for heard in await session.begin():
                        yield heard
                    while True:
                        for heard in await session.step():
                            yield heard
                finally:
                    await session.close()
