from datetime import UTC, datetime

import numpy as np
import pytest

from skewline.servers.signal.trading_clock import variance_days


def sessions(first: str, last: str, weight: float = 0.15) -> float:
    times = [
        round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 10**9 for day in (first, last)
    ]
    start, end = variance_days(np.array(times, dtype=np.int64), weight)
    return float(end - start)


def test_a_week_has_five_sessions_and_a_little_for_the_weekend() -> None:
    assert sessions("2019-04-24", "2019-05-01") == pytest.approx(5.3)


def test_a_holiday_counts_like_a_weekend_day() -> None:
    # Memorial Day was on Monday 2019-05-27.
    assert sessions("2019-05-22", "2019-05-29") == pytest.approx(4.45)


def test_where_every_day_trades_it_is_the_calendar() -> None:
    assert sessions("2019-05-22", "2019-05-29", 1.0) == pytest.approx(7.0)


def test_beyond_the_calendar_weekdays_count() -> None:
    assert sessions("2060-01-05", "2060-01-12") == pytest.approx(5.3)
