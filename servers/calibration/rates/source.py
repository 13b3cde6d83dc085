"""Where a curve comes from for a moment of the data."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Protocol

from skewline.servers.calibration.rates.curve import Curve
from skewline.servers.runtime import new_york

_OLDEST: Final = timedelta(days=10)
"""An older curve is none: longer than any row of holidays."""


class RatesSource(Protocol):
    """Curves by data time."""

    def on(self, time_ns: int) -> Curve | None:
        """The curve that was known then; None if there was none."""


class Parity:
    """No curve from outside: rates come from the quotes alone."""

    def on(self, time_ns: int) -> Curve | None:
        """None."""
        return None


class Always:
    """One curve for all times."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def on(self, time_ns: int) -> Curve | None:
        """That curve."""
        return self._curve


class Dated:
    """A curve for each day on which one became known; it holds until the next, for ten days at most."""

    def __init__(self, curves: Mapping[date, Callable[[], Curve]]) -> None:
        """`curves` by the New York day from whose beginning on each is known, made when it is asked for."""
        self._days = sorted(curves)
        self._curve = lru_cache(maxsize=16)(lambda day: curves[day]())

    def on(self, time_ns: int) -> Curve | None:
        """The newest that was known."""
        day = new_york.date_of(time_ns)
        place = bisect_right(self._days, day)
        if not place or day - self._days[place - 1] > _OLDEST:
            return None
        return self._curve(self._days[place - 1])
