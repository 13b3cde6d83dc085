"""The quotes of options that had their turn, until they have it again or are too old."""

from __future__ import annotations

from collections.abc import Container, Iterator

from skewline.servers.marketdata.live.ibkr.listing import Listed
from skewline.servers.marketdata.live.ibkr.quote import Quote


class KeptQuotes:
    """The newest of each option, for at most `oldest_s` seconds."""

    def __init__(self, oldest_s: float) -> None:
        self._oldest_s = oldest_s
        self._quotes: dict[int, tuple[Listed, Quote, float]] = {}

    def keep(self, option: Listed, quote: Quote, now: float) -> None:
        """What was quoted when it was last listened to, `now`."""
        self._quotes[option.con_id] = option, quote, now

    def only(self, wanted: Container[int]) -> None:
        """Forget what is not among these contracts."""
        self._quotes = {con_id: each for con_id, each in self._quotes.items() if con_id in wanted}

    def forget(self) -> None:
        """Forget all."""
        self._quotes.clear()

    def fresh(self, now: float) -> Iterator[tuple[Listed, Quote]]:
        """Those that are not too old."""
        for option, quote, at in self._quotes.values():
            if now - at <= self._oldest_s:
                yield option, quote
