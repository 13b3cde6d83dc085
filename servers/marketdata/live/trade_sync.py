"""Trades put in the order of their ids, each once; what is missing is known by its ids."""

from __future__ import annotations

from collections.abc import Iterable

from skewline.servers.marketdata.live.binance_payload import Trade


class TradeSync:
    """Takes trades as they come, and gives them in order up to the first that is missing.

    Ids follow one another without a hole. It begins behind `last_id`, or with the first trade that comes
    where that is None.
    """

    def __init__(self, last_id: int | None) -> None:
        self._last_id = last_id
        self._ahead: dict[int, Trade] = {}
        self._ready: list[Trade] = []

    def take(self, trades: Iterable[Trade]) -> None:
        """Trades in any order, also such as were taken before."""
        for trade in trades:
            if self._last_id is None:
                self._last_id = trade.trade_id - 1
            if trade.trade_id > self._last_id:
                self._ahead.setdefault(trade.trade_id, trade)
        self._advance()

    @property
    def missing(self) -> tuple[int, int] | None:
        """The first ids, from and to, that are missing before one that is there; None if none is."""
        if not self._ahead or self._last_id is None:
            return None
        return self._last_id + 1, min(self._ahead) - 1

    def give_up(self) -> None:
        """Go on without what is `missing` now."""
        if self.missing is not None:
            self._last_id = min(self._ahead) - 1
            self._advance()

    def ready(self) -> list[Trade]:
        """Trades in order, each given once."""
        ready, self._ready = self._ready, []
        return ready

    def _advance(self) -> None:
        assert self._last_id is not None
        while (trade := self._ahead.pop(self._last_id + 1, None)) is not None:
            self._ready.append(trade)
            self._last_id = trade.trade_id
