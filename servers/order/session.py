"""Trading sessions: until when a DAY order works."""

from __future__ import annotations

from datetime import time, timedelta

from skewline.servers.runtime import new_york


def session_end_ns(created_ns: int) -> int:
    """When the session of a DAY order created at this data time ends, ns since the epoch.

    The close in New York of the same date, earlier than 16:00 on half days; after that (options that trade
    on), the end of that date.
    """
    day = new_york.date_of(created_ns)
    close_ns = new_york.instant_ns(day, new_york.close_of(day))
    return close_ns if created_ns < close_ns else new_york.instant_ns(day + timedelta(days=1), time(0))
