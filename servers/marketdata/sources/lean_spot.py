"""The underlying's price from LEAN's equity zips."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.sources.lean_quotes import (
    HOUR_NS,
    MINUTE_NS,
    PRICE_SCALE,
    Longs,
    opened,
    parse_lines,
)
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.runtime import new_york

# Columns after the time: of trades open, high, low, close, volume; of quotes these four and size, twice.
_TRADE: Final = 5
_QUOTE: Final = 10
_CLOSE: Final = 3
_ASK_CLOSE: Final = 8


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices, each known from `known_ns` on."""

    known_ns: Longs
    price: Doubles

    def at(self, day_start_ns: int, time_ns: int) -> float:
        """The newest of the day; NaN if there is none."""
        place = int(np.searchsorted(self.known_ns, time_ns, side="right")) - 1
        if place < 0 or self.known_ns[place] <= day_start_ns:
            return math.nan
        return float(self.price[place])


class EquityPrices:
    """Spots under `folder` (…/equity/usa): minute trades, else the quotes' mids, else hours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._minutes = lru_cache(maxsize=8)(self._read_minutes)
        self._hours = lru_cache(maxsize=8)(self._read_hours)

    def spot(self, symbol: str, day: date, day_start_ns: int, time_ns: int) -> float:
        """The price known at `time_ns`; NaN if no file of the day has one. Raises SourceError."""
        for prices in (*self._minutes(symbol, day), self._hours(symbol)):
            if not math.isnan(spot := prices.at(day_start_ns, time_ns)):
                return spot
        return math.nan

    def _read_minutes(self, symbol: str, day: date) -> tuple[Prices, Prices]:
        stem = self._folder / "minute" / symbol.lower()
        trades = _read(stem / f"{day:%Y%m%d}_trade.zip", day, MINUTE_NS, _TRADE)
        return trades, _read(stem / f"{day:%Y%m%d}_quote.zip", day, MINUTE_NS, _QUOTE)

    def _read_hours(self, symbol: str) -> Prices:
        return _read(self._folder / "hour" / f"{symbol.lower()}.zip", None, HOUR_NS, _TRADE)


def _read(file: Path, day: date | None, bar_ns: int, width: int) -> Prices:
    if not file.is_file():
        return Prices(np.zeros(0, np.int64), np.zeros(0))
    with opened(file) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
    try:
        starts, values = parse_lines(text, day, width)
    except ValueError as error:
        raise SourceError(f"{file}: {str(error).splitlines()[0]}; fetch it again") from error
    price = values[_CLOSE] if width == _TRADE else (values[_CLOSE] + values[_ASK_CLOSE]) / 2
    usable = np.isfinite(price) & (price > 0)
    known = starts[usable] + bar_ns
    order = np.argsort(known, kind="stable")
    return Prices(known[order], price[usable][order] / PRICE_SCALE)


def day_start(day: date) -> int:
    """New York midnight, ns since the epoch."""
    return new_york.instant_ns(day, new_york.OPEN.replace(hour=0, minute=0))
