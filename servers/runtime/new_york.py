"""New York: wall time, exchange sessions and the instants at which options expire."""

from __future__ import annotations

import threading
import warnings
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from skewline.v1 import instrument_pb2

ZONE: Final = ZoneInfo("America/New_York")
OPEN: Final = time(9, 30)
CLOSE: Final = time(16, 0)

# Sessions are known between these; outside, every weekday counts as one.
_FIRST: Final = date(1998, 1, 2)
_LAST: Final = date(2040, 12, 31)
_SATURDAY: Final = 5
_LOADING: Final = threading.Lock()


def instant_ns(day: date, at: time) -> int:
    """The instant of a New York wall time, ns since the epoch, UTC."""
    moment = datetime.combine(day, at, tzinfo=ZONE)
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1_000


def date_of(time_ns: int) -> date:
    """The New York date of an instant."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC).astimezone(ZONE).date()


def load() -> None:
    """Load the calendar now, which takes seconds, instead of at the first question."""
    _calendar()


@cache
def is_session(day: date) -> bool:
    """Whether the New York Stock Exchange trades on `day`."""
    if day.weekday() >= _SATURDAY:
        return False
    return bool(_calendar().is_session(day.isoformat())) if _FIRST <= day <= _LAST else True


def sessions(first: int, count: int) -> npt.NDArray[np.bool_]:
    """Of `count` days from day `first` since the epoch on, whether the exchange trades on each."""
    days = np.arange(first, first + count)
    dates = days.astype("datetime64[D]")
    known = (dates >= np.datetime64(_FIRST)) & (dates <= np.datetime64(_LAST))
    return np.where(known, np.isin(days, _session_days()), np.is_busday(dates))


@cache
def close_of(day: date) -> time:
    """When `day`'s session ends, New York time: earlier than 16:00 on half days; 16:00 without a session."""
    if not (_FIRST <= day <= _LAST and is_session(day)):
        return CLOSE
    closing: datetime = _calendar().session_close(day.isoformat()).to_pydatetime()
    return closing.astimezone(ZONE).time()


@cache
def expiry_ns(listed: date, settlement: instrument_pb2.SettlementStyle.ValueType) -> int:
    """The expiry instant of options listed for `listed`: the opening if AM-settled, else the session's close.

    Monthly options were listed for the Saturday until 2015, and ceased on the last session before.
    """
    day = listed
    while not is_session(day):
        day -= timedelta(days=1)
    opening = settlement == instrument_pb2.SETTLEMENT_STYLE_AM
    return instant_ns(day, OPEN if opening else close_of(day))


@cache
def _session_days() -> npt.NDArray[np.int64]:
    days: npt.NDArray[np.int64] = _calendar().sessions.to_numpy().astype("datetime64[D]").astype(np.int64)
    return days


def _calendar() -> Any:
    # One thread loads it, the others wait: twice would take twice the seconds.
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Any:
    # Importing it takes seconds, which a process that needs no session should not pay.
    import exchange_calendars

    with warnings.catch_warnings():
        # It warns of pandas' future, which is nothing that a user of ours could act on.
        warnings.simplefilter("ignore")
        return exchange_calendars.get_calendar("XNYS", start=_FIRST.isoformat(), end=_LAST.isoformat())
