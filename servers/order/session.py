"""Trading sessions: until when a DAY order works."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_NEW_YORK: Final = ZoneInfo("America/New_York")
_CLOSE: Final = time(16, 0)
_NS: Final = 1_000_000_000


def session_end_ns(created_ns: int) -> int:
    """When the session of a DAY order created at this data time ends, ns since the epoch.

    16:00 in New York of the same date; after that (options that trade on), the end of that date.
    """
    created = datetime.fromtimestamp(created_ns // _NS, _NEW_YORK)
    close = datetime.combine(created.date(), _CLOSE, _NEW_YORK)
    if created >= close:
        close = datetime.combine(created.date() + timedelta(days=1), time(0), _NEW_YORK)
    return int(close.timestamp()) * _NS
