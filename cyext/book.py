"""A level-2 order book kept from a snapshot and the updates after it, exact in price and quantity.

Prices and quantities are read from the venue's decimal text into whole ticks and lots (int64): there is no
rounding, and no float is ever a key. `price_decimals` and `quantity_decimals` say how fine they are; zeros
beyond them are fine ("61837.63000000" with 2), anything else is refused.

Each update names the ids it covers, (`after`, `final`], and holds the quantity that each changed price has at
`final`; 0 takes the price away. So it can be applied to any book that stands between `after` and `final`, is
stale where the book is at `final` already, and leaves a gap where the book is before `after`. On Binance
(developers.binance.com, "How to manage a local order book correctly"), the snapshot is `lastUpdateId` and

* spot: `after` is U - 1 and `final` is u, since ids follow one another;
* perpetuals and futures: `after` is pu, the u of the event before, since other contracts take ids too.

After a gap the book stands still, `needs_resync`, until it gets a snapshot.

Sources of the measures: the imbalance is that of Gould & Bonart (2016), Market Microstructure and Liquidity
2, 1650006; the microprice is the mid weighted by the other side's quantity of Gatheral & Oomen (2010),
Finance and Stochastics 14, 249, which Stoikov (2018), Quantitative Finance 18, 1959, calls weighted mid.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from skewline.cyext._book import Sides
from skewline.cyext.arguments import Doubles

#: [price, quantity] as decimal text, as venues send them in JSON.
Levels: TypeAlias = Sequence[Sequence[str]]
Integers: TypeAlias = NDArray[np.int64]

_MOST_DECIMALS = 18


class Applied(enum.Enum):
    """What became of an update."""

    #: The book stands at its `final` now.
    APPLIED = "applied"
    #: The book was there already: nothing changed.
    STALE = "stale"
    #: An update before it is missing, or the snapshot is: nothing changed, the book needs a snapshot.
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Level:
    """One price of a side: exact in `ticks` and `lots`, and the nearest doubles of both in their units."""

    ticks: int
    lots: int
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Depth:
    """Levels of one side, best first: exact, and as the nearest doubles.

    `complete` is False where there may be levels that nothing has told of: fewer are known than were asked
    for, or they lie beyond the worst price of the snapshot, where only changed prices are known.
    """

    ticks: Integers
    lots: Integers
    price: Doubles
    quantity: Doubles
    complete: bool


class OrderBook:
    """Bids and asks of one instrument. Not for several threads at once.

    `price_decimals` and `quantity_decimals` (0 … 18) are the decimals of the smallest price and quantity
    step. ValueError for others.
    """

    def __init__(self, *, price_decimals: int, quantity_decimals: int) -> None:
        for name, value in (("price_decimals", price_decimals), ("quantity_decimals", quantity_decimals)):
            if not 0 <= value <= _MOST_DECIMALS:
                raise ValueError(f"{name} must be 0 to {_MOST_DECIMALS}, not {value}")
        self._sides = Sides(price_decimals, quantity_decimals)
        # Powers of ten are exact up to 10^22, so that one division gives the double nearest to the decimal.
        self._price_unit = 10.0**price_decimals
        self._quantity_unit = 10.0**quantity_decimals
        self._update_id = 0
        self._needs_resync = True

    @property
    def needs_resync(self) -> bool:
        """Whether it waits for a snapshot: at first, and after a gap."""
        return self._needs_resync

    @property
    def update_id(self) -> int:
        """The id it stands at."""
        return self._update_id

    def snapshot(self, update_id: int, bids: Levels, asks: Levels) -> None:
        """Begin anew with these levels, which hold at `update_id`.

        ValueError or TypeError, which name the level, for one that is no pair of decimal texts; the book is
        then what it was.
        """
        self._sides.replace(bids, asks)
        self._update_id = update_id
        self._needs_resync = False

    def apply(self, after: int, final: int, bids: Levels, asks: Levels) -> Applied:
        """One update, which covers the ids (`after`, `final`]; all of its levels or none.

        Errors as for `snapshot`, and ValueError for ids in the wrong order. An update that could not be
        read is missing: the next one finds the gap.
        """
        if after >= final:
            raise ValueError(f"after must be below final, not {after} and {final}")
        if self._needs_resync:
            return Applied.GAP
        if final <= self._update_id:
            return Applied.STALE
        if after > self._update_id:
            self._needs_resync = True
            return Applied.GAP
        self._sides.update(bids, asks)
        self._update_id = final
        return Applied.APPLIED

    @property
    def best_bid(self) -> Level | None:
        """The highest bid; None where there is none."""
        ticks, lots, _, _ = self._sides.best()
        return self._level(ticks, lots)

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask; None where there is none."""
        _, _, ticks, lots = self._sides.best()
        return self._level(ticks, lots)

    @property
    def crossed(self) -> bool:
        """Whether a bid is at or above an ask, which no venue's book is: something is wrong with the feed."""
        bid, _, ask, _ = self._sides.best()
        return bid > 0 and ask > 0 and bid >= ask

    @property
    def mid(self) -> float:
        """Halfway between the best prices; NaN with an empty side."""
        bid, _, ask, _ = self._sides.best()
        return 0.5 * (bid + ask) / self._price_unit if bid and ask else math.nan

    @property
    def microprice(self) -> float:
        """The mid of the best prices, each weighted by the other side's quantity; NaN with an empty side."""
        bid, bid_lots, ask, ask_lots = self._sides.best()
        if not (bid and ask):
            return math.nan
        share = bid_lots / (bid_lots + ask_lots)
        return (bid + (ask - bid) * share) / self._price_unit

    def imbalance(self, levels: int = 1) -> float:
        """(bid - ask) / (bid + ask) of the quantities in the best `levels`, -1 … 1; NaN for an empty book."""
        bids, asks = self._sides.quantities(_count(levels))
        return (bids - asks) / (bids + asks) if bids + asks > 0.0 else math.nan

    def bids(self, levels: int) -> Depth:
        """The best `levels` bids, or fewer."""
        return self._depth(True, levels)

    def asks(self, levels: int) -> Depth:
        """The best `levels` asks, or fewer."""
        return self._depth(False, levels)

    def __len__(self) -> int:
        """Levels of both sides."""
        return sum(self._sides.sizes())

    def _level(self, ticks: int, lots: int) -> Level | None:
        return Level(ticks, lots, ticks / self._price_unit, lots / self._quantity_unit) if ticks else None

    def _depth(self, of_bids: bool, levels: int) -> Depth:
        ticks, lots, complete = self._sides.top(of_bids, _count(levels))
        return Depth(ticks, lots, ticks / self._price_unit, lots / self._quantity_unit, complete)


def _count(levels: int) -> int:
    if levels < 1:
        raise ValueError(f"levels must be at least 1, not {levels}")
    return levels
