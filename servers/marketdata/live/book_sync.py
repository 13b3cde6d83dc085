"""A venue's order book kept in step: updates joined to a snapshot by their ids, and never guessed at.

It follows "How to manage a local order book correctly" (developers.binance.com) for spot and futures alike:
updates are kept while a snapshot is under way, those that it has are dropped, the first one after it must
join it, and each later one the one before. Whatever does not ends in the wish for a new snapshot.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from skewline.cyext.book import Applied, Level, Levels, OrderBook
from skewline.servers.marketdata.live.binance_payload import BestPrices, DepthSnapshot, DepthUpdate

# Minutes of the busiest book. What is older than the snapshot is of no use.
_MOST_KEPT: Final = 20_000
# Best prices that the next update may come to stand at.
_MOST_BESTS: Final = 256
_MOST_DECIMALS: Final = 18
# Two fewer than always fit 64 bits.
_DIGITS: Final = 16


class Fineness:
    """How many decimals the numbers of a book are read with, as seen from those that came."""

    def __init__(self) -> None:
        self._needed = self._written = self._whole = 0

    @property
    def decimals(self) -> int:
        """As many as are written, also zeros, if numbers a hundred times as large as any seen still fit."""
        return min(max(self._needed, min(self._written, _DIGITS - self._whole)), _MOST_DECIMALS)

    def learn(self, levels: Levels, column: int) -> None:
        """See a column of levels; what cannot be read is passed over."""
        for level in levels if isinstance(levels, list) else ():
            text = level[column] if isinstance(level, list) and len(level) > column else ""
            if isinstance(text, str):
                whole, _, decimals = text.partition(".")
                self._whole = max(self._whole, len(whole.lstrip("0")))
                self._written = max(self._written, len(decimals))
                self._needed = max(self._needed, len(decimals.rstrip("0")))


class OutOfStep(Exception):
    """The book is not what the venue's is: it needs a snapshot. `reason` is stable and upper-case."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class BookSync:
    """The book, and what has come that is not in it yet."""

    def __init__(self) -> None:
        # Seen from the snapshot; what does not fit these begins the book anew.
        self._prices, self._quantities = Fineness(), Fineness()
        self.book = OrderBook(price_decimals=0, quantity_decimals=0)
        self.time_ns = 0
        self._kept: deque[DepthUpdate] = deque(maxlen=_MOST_KEPT)
        self._bests: deque[BestPrices] = deque(maxlen=_MOST_BESTS)

    @property
    def in_step(self) -> bool:
        """Whether the book is the venue's."""
        return not self.book.needs_resync

    def update(self, update: DepthUpdate) -> bool:
        """Apply an update, or keep it for the snapshot; returns whether the book changed. Raises OutOfStep.

        An update that raised is kept: the snapshot may be older than it.
        """
        if not self.in_step:
            self._kept.append(update)
            return False
        try:
            return self._apply(update)
        except OutOfStep:
            self.lose()
            self._kept.append(update)
            raise

    def snapshot(self, snapshot: DepthSnapshot) -> bool:
        """Begin from a snapshot; False if it is older than the first update kept: a newer one is needed.

        Raises OutOfStep where the snapshot or an update after it cannot be read or does not join.
        """
        if self._kept and self._kept[0].after > snapshot.update_id:
            return False
        self._begin(snapshot)
        kept = list(self._kept)
        self._kept.clear()
        for index, update in enumerate(kept):
            try:
                self._apply(update)
            except OutOfStep:
                self.lose()
                self._kept.extend(kept[index:])
                raise
        return True

    def best(self, best: BestPrices) -> None:
        """Compare with the best prices that the venue tells, where it stands. Raises OutOfStep."""
        self._bests.append(best)
        if self.in_step and best.update_id == self.book.update_id:
            try:
                self._compare(best)
            except OutOfStep:
                self.lose()
                raise

    def lose(self) -> None:
        """The book may be anything: begin anew."""
        self.book = self._empty()
        self._kept.clear()

    def _empty(self) -> OrderBook:
        return OrderBook(price_decimals=self._prices.decimals, quantity_decimals=self._quantities.decimals)

    def _begin(self, snapshot: DepthSnapshot) -> None:
        self._learn(snapshot)
        self.book = self._empty()
        try:
            self.book.snapshot(snapshot.update_id, snapshot.bids, snapshot.asks)
        except (ValueError, TypeError) as error:
            raise OutOfStep("UNREADABLE", f"the snapshot of the book cannot be read: {error}") from error

    def _apply(self, update: DepthUpdate) -> bool:
        before = self.book.update_id
        try:
            applied = self.book.apply(update.after, update.final, update.bids, update.asks)
        except (ValueError, TypeError) as error:
            self._learn(update)
            raise OutOfStep("UNREADABLE", f"update {update.final} cannot be read: {error}") from error
        if applied is Applied.STALE:
            self.time_ns = max(self.time_ns, update.time_ns)
            return False
        if applied is Applied.GAP:
            missing = f"the book stands at {before}, and the next update begins behind {update.after}"
            raise OutOfStep("SEQUENCE", missing)
        if self.book.crossed:
            raise OutOfStep("CROSSED", f"at update {update.final} the best bid is not below the best ask")
        self.time_ns = update.time_ns
        while self._bests and self._bests[0].update_id < update.final:
            self._bests.popleft()
        if self._bests and self._bests[0].update_id == update.final:
            self._compare(self._bests[0])
        return True

    def _compare(self, told: BestPrices) -> None:
        for side, level, best in (
            ("bid", self.book.best_bid, told.bid),
            ("ask", self.book.best_ask, told.ask),
        ):
            if not _is_at(level, best):
                where = "none" if level is None else f"{level.quantity:g} at {level.price:g}"
                said = f"{best[1]:g} at {best[0]:g}"
                detail = f"at update {told.update_id} the best {side} is {where}, and the venue says {said}"
                raise OutOfStep("MISMATCH", detail)

    def _learn(self, levels: DepthSnapshot | DepthUpdate) -> None:
        for side in (levels.bids, levels.asks):
            self._prices.learn(side, 0)
            self._quantities.learn(side, 1)


def _is_at(level: Level | None, best: tuple[float, float]) -> bool:
    # An empty side is told as zeros.
    return best[1] == 0.0 if level is None else (level.price, level.quantity) == best
