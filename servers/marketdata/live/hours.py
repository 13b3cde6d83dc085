"""When polling a New York market makes sense: its sessions, as late as the venue shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from skewline.servers.runtime import new_york

_NANOS_A_SECOND: Final = 1_000_000_000
# The last quotes of a session are there a moment after its end.
_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class MarketHours:
    """The sessions of the New York Stock Exchange, seen `delay_s` seconds late."""

    delay_s: float

    def opens_ns(self, now_ns: int) -> int:
        """When the market can next be seen open; `now_ns` itself if it can be now."""
        delay = round(self.delay_s * _NANOS_A_SECOND)
        # With a delay, what is seen just after midnight may be the evening before.
        day = new_york.date_of(now_ns - delay)
        while True:
            if new_york.is_session(day):
                close = new_york.instant_ns(day, new_york.close_of(day)) + delay
                if now_ns < close + round(_AFTER_S * _NANOS_A_SECOND):
                    return max(now_ns, new_york.instant_ns(day, new_york.OPEN) + delay)
            day += timedelta(days=1)


def within_session_ns(time_ns: int) -> int:
    """`time_ns` if the market is open then, else the close before it."""
    day = new_york.date_of(time_ns)
    if new_york.is_session(day) and time_ns >= new_york.instant_ns(day, new_york.OPEN):
        return min(time_ns, new_york.instant_ns(day, new_york.close_of(day)))
    return _close_before(day)


def _close_before(day: date) -> int:
    day -= timedelta(days=1)
    while not new_york.is_session(day):
        day -= timedelta(days=1)
    return new_york.instant_ns(day, new_york.close_of(day))
