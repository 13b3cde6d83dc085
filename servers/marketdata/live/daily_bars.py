"""Bars of past days that a venue of quotes also has: when to ask for them, and what they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.runtime import new_york
from skewline.servers.runtime.day_count import DAY_NS
from skewline.v1 import chain_pb2, common_pb2

# Until then a day's bar may still be corrected, and is shown to nobody without a plan.
_SETTLED_NS: Final = 3_600_000_000_000
_AGAIN_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class DayBar:
    """A session's prices as they were traded, and its volume; NaN what is no number."""

    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Days:
    """From the first day to the last, both included."""

    first: date
    last: date


class DailyBars:
    """Asks for the last `days` days at the start and after each session, and an hour after it failed."""

    def __init__(self, days: int, clock: Clock) -> None:
        self._days = days
        self._clock = clock
        self._had: date | None = None
        self._again_at = clock.monotonic()

    def due(self) -> Days | None:
        """What to ask for now, or nothing. It may take seconds: the calendar has to be loaded."""
        if not self._days or self._clock.monotonic() < self._again_at:
            return None
        last = _last_settled(self._clock.time_ns())
        return None if last == self._had else Days(last - timedelta(days=self._days), last)

    def had(self, days: Days) -> None:
        """They were brought."""
        self._had = days.last

    def failed(self) -> None:
        """They could not be had."""
        self._again_at = self._clock.monotonic() + _AGAIN_S


def series_of(bars: Iterable[DayBar], days: Days, underlying: str, source: str) -> chain_pb2.BarSeries:
    """The bars of `days`, each from midnight of New York on; those of a session that goes on are left out."""
    return chain_pb2.BarSeries(
        underlying=underlying,
        interval_ns=DAY_NS,
        source=source,
        provenance=common_pb2.PROVENANCE_RECORDED,
        bars=[
            chain_pb2.Bar(
                start_ns=new_york.instant_ns(each.day, time()),
                open=each.open,
                high=each.high,
                low=each.low,
                close=each.close,
                volume=each.volume,
            )
            for each in bars
            if days.first <= each.day <= days.last
        ],
    )


def _last_settled(now_ns: int) -> date:
    day = new_york.date_of(now_ns)
    while not (
        new_york.is_session(day) and now_ns >= new_york.instant_ns(day, new_york.close_of(day)) + _SETTLED_NS
    ):
        day -= timedelta(days=1)
    return day
