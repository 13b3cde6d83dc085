"""A chain put together from the tickers of a coin's options."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, Heading, build_chain
from skewline.servers.marketdata.live.deribit_payload import Listed, Ticker
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

_DOLLAR = "USD"


class TickerChain:
    """The newest ticker of each option of `coin`, from one connection.

    Every ticker is the whole state of its option: a lost or repeated one leaves nothing wrong behind, and one
    that comes after a newer is passed over. Of two of one millisecond the last to come stands.
    """

    def __init__(self, coin: str) -> None:
        self._coin = coin
        self._listed: dict[str, Listed] = {}
        self._tickers: dict[str, Ticker] = {}
        self._changed = False

    def relist(self, listed: Iterable[Listed]) -> None:
        """Take the venue's list of options: those no longer on it go."""
        self._listed = {each.name: each for each in listed}
        self._tickers = {name: each for name, each in self._tickers.items() if name in self._listed}

    @property
    def complete(self) -> bool:
        """Whether every option has had a ticker."""
        return len(self._tickers) == len(self._listed)

    def take(self, ticker: Ticker) -> None:
        """Take a ticker, unless it is older than the one there is, or of no option listed."""
        before = self._tickers.get(ticker.name)
        if ticker.name not in self._listed or ticker == before:
            return
        if before is not None and ticker.time_ns < before.time_ns:
            return
        self._tickers[ticker.name] = ticker
        self._changed = True

    def chain(self, source: str, after_ns: int) -> chain_pb2.OptionChain | None:
        """The chain as it is now, in dollars; None if nothing changed, or its time is not past `after_ns`.

        Prices in coin are converted with the newest future of their expiry: a quote in coin stands while the
        future moves. The expiry states that future, for which the discount is 1 by construction.
        """
        if not self._changed or not self._tickers:
            return None
        newest = max(self._tickers.values(), key=lambda each: each.time_ns)
        if newest.time_ns <= after_ns:
            return None
        self._changed = False
        rows = [(self._listed[name], ticker) for name, ticker in self._tickers.items()]
        futures: dict[int, Ticker] = {}
        for option, ticker in rows:
            known = futures.get(option.expiry_ns)
            if known is None or ticker.time_ns > known.time_ns:
                futures[option.expiry_ns] = ticker
        place = {expiry_ns: index for index, expiry_ns in enumerate(futures)}
        at = np.array([place[option.expiry_ns] for option, _ in rows], dtype=np.int64)
        future = np.array([each.future for each in futures.values()])[at]
        dates = {option.expiry_ns: option.expiry_date for option, _ in rows}
        return build_chain(
            Heading(
                underlying=self._coin,
                time_ns=newest.time_ns,
                source=source,
                provenance=common_pb2.PROVENANCE_LIVE,
                spot=newest.index,
                exercise=instrument_pb2.EXERCISE_STYLE_EUROPEAN,
                multiplier=Decimal(repr(rows[0][0].contract_size)),
                currency=_DOLLAR,
            ),
            [
                chain_pb2.ChainExpiry(
                    root=self._coin,
                    expiry_date=dates[expiry_ns],
                    expiry_ns=expiry_ns,
                    settlement=instrument_pb2.SETTLEMENT_STYLE_PM,
                    forward=ticker.future,
                    discount=1.0,
                )
                for expiry_ns, ticker in futures.items()
            ],
            Columns(
                expiry_index=at,
                strike=np.array([option.strike for option, _ in rows]),
                is_call=np.array([option.is_call for option, _ in rows], dtype=np.bool_),
                bid=np.array([ticker.bid for _, ticker in rows]) * future,
                ask=np.array([ticker.ask for _, ticker in rows]) * future,
                more={
                    "bid_size": np.array([ticker.bid_size for _, ticker in rows]),
                    "ask_size": np.array([ticker.ask_size for _, ticker in rows]),
                    "volume": np.array([ticker.volume for _, ticker in rows]),
                    "open_interest": np.array([ticker.open_interest for _, ticker in rows]),
                    "vendor_iv": np.array([ticker.mark_iv for _, ticker in rows]),
                },
                symbol=[option.name for option, _ in rows],
            ),
        )
