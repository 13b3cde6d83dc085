"""The clock that an index's variance runs by: days without a session count little."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_FIRST: Final = "1998-01-02"
_LAST: Final = "2040-12-31"
_DAY_NS: Final = 86_400_000_000_000


def variance_days(times_ns: npt.NDArray[np.int64], non_session_weight: float) -> Doubles:
    """Position of each instant on the clock, in sessions: only differences mean something.

    A day with a session of the New York Stock Exchange counts one, any other `non_session_weight`; within a
    day (UTC) the clock runs evenly. Beyond the years that the calendar knows, weekdays count as sessions.
    """
    days, within = np.divmod(times_ns, _DAY_NS)
    low, high = int(days.min()), int(days.max()) + 2
    span = np.arange(low, high)
    dates = span.astype("datetime64[D]")
    session = np.where(
        (dates >= np.datetime64(_FIRST)) & (dates <= np.datetime64(_LAST)),
        np.isin(span, load()),
        np.is_busday(dates),
    )
    passed = np.concatenate(([0.0], np.cumsum(np.where(session, 1.0, non_session_weight))))
    at = days - low
    position: Doubles = passed[at] + within / _DAY_NS * (passed[at + 1] - passed[at])
    return position


@cache
def load() -> npt.NDArray[np.int64]:
    """Days since the epoch that have a session, ascending. Slow the first time: call it ahead of need."""
    # Importing it takes most of a second, which a process that needs no session should not pay.
    import exchange_calendars

    calendar: Any = exchange_calendars.get_calendar("XNYS", start=_FIRST, end=_LAST)
    sessions: npt.NDArray[np.int64] = calendar.sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    return sessions
