"""What is quoted for one contract, from ticks by number, of which delayed ones have others than live ones."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Final

_NONE: Final = frozenset({-1.0, sys.float_info.max, float(2**31 - 1)})
_BID, _ASK, _LAST, _CLOSE = (frozenset(pair) for pair in ((1, 66), (2, 67), (4, 68), (9, 75)))
_BID_SIZE, _ASK_SIZE, _VOLUME = (frozenset(pair) for pair in ((0, 69), (3, 70), (8, 74)))
_OPEN_INTEREST: Final = frozenset({27, 28})
_MARK: Final = frozenset({37})
_MODEL: Final = frozenset({13, 83})
_DELAYED_TICKS: Final = frozenset(range(66, 77)) | frozenset(range(80, 84))
_MOST_VOL: Final = 100.0
_MOST_PRICE: Final = 1e12

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
MARKET_DATA_TYPES: Final = {
    "live": LIVE,
    "frozen": FROZEN,
    "delayed": DELAYED,
    "delayed_frozen": DELAYED_FROZEN,
}
"""By the words of the settings."""


@dataclass(slots=True)
class Quote:
    """The newest of each tick. A price of 0 is none; what is no number stays, for validation to count."""

    bid: float = 0.0
    ask: float = 0.0
    bid_size: float = 0.0
    ask_size: float = 0.0
    last: float = 0.0
    close: float = 0.0
    mark: float = 0.0
    volume: float = 0.0
    open_interest: float = 0.0
    vendor_iv: float = 0.0
    underlying: float = 0.0
    """The underlying's price that the venue's model took."""
    kind: int = LIVE
    heard: bool = False
    """Whether anything was ticked since it was last asked."""
    bid_heard: bool = False
    ask_heard: bool = False
    model_heard: bool = False

    @property
    def answered(self) -> bool:
        """Whether both sides and the model came."""
        return self.bid_heard and self.ask_heard and self.model_heard

    @property
    def two_sided(self) -> bool:
        """Whether both sides came."""
        return self.bid_heard and self.ask_heard

    @property
    def delayed(self) -> bool:
        """Whether what comes is delayed."""
        return self.kind in (DELAYED, DELAYED_FROZEN)

    def price(self, tick: int, price: float, size: float) -> None:
        """A price with its size, which some prices have none of."""
        self._hear(tick)
        if tick in _BID:
            self.bid_heard = True
            self.bid = _present(price)
            self.bid_size = _present(size)
        elif tick in _ASK:
            self.ask_heard = True
            self.ask = _present(price)
            self.ask_size = _present(size)
        elif tick in _LAST:
            self.last = _usable(price)
        elif tick in _CLOSE:
            self.close = _usable(price)
        elif tick in _MARK:
            self.mark = _usable(price)

    def size(self, tick: int, size: float) -> None:
        """A size without its price."""
        self._hear(tick)
        if tick in _BID_SIZE:
            self.bid_size = _present(size)
        elif tick in _ASK_SIZE:
            self.ask_size = _present(size)
        elif tick in _VOLUME:
            self.volume = _count(size)
        elif tick in _OPEN_INTEREST and size:
            # Of an option's own contract one of the two is always 0.
            self.open_interest = _count(size)

    def model(self, tick: int, vol: float, underlying: float) -> None:
        """The venue's model: implied vol as a fraction, and the underlying's price that it took."""
        self._hear(tick)
        if tick not in _MODEL:
            return
        self.model_heard = True
        self.vendor_iv = vol if 0 < vol < _MOST_VOL else 0.0
        self.underlying = _usable(underlying)

    def _hear(self, tick: int) -> None:
        self.heard = True
        if tick in _DELAYED_TICKS and not self.delayed:
            # Delayed data must never pass for live, even if the gateway did not say what is to come.
            self.kind = DELAYED_FROZEN if self.kind == FROZEN else DELAYED

    @property
    def spot(self) -> float:
        """Of an underlying: its last price, else the middle of its quote, else its mark; NaN without any."""
        if self.last > 0:
            return self.last
        if 0 < self.bid <= self.ask < _MOST_PRICE:
            return 0.5 * (self.bid + self.ask)
        return self.mark if self.mark > 0 else math.nan


def _present(value: float) -> float:
    return 0.0 if value in _NONE else value


def _usable(value: float) -> float:
    return value if 0 < value < _MOST_PRICE else 0.0


def _count(value: float) -> float:
    return value if 0 <= value < _MOST_PRICE and value not in _NONE else 0.0
