"""When a polled market can be seen open."""

from datetime import date, time

import pytest

from skewline.servers.marketdata.live.hours import MarketHours, within_session_ns
from skewline.servers.runtime.new_york import instant_ns

FRIDAY, SATURDAY, TUESDAY = date(2019, 5, 24), date(2019, 5, 25), date(2019, 5, 28)  # Monday was a holiday
HALF_DAY = date(2019, 11, 29)
NEXT_WEEK = instant_ns(TUESDAY, time(9, 45))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (instant_ns(FRIDAY, time(12)), instant_ns(FRIDAY, time(12))),
        (instant_ns(FRIDAY, time(9, 31)), instant_ns(FRIDAY, time(9, 45))),
        (instant_ns(FRIDAY, time(16, 14)), instant_ns(FRIDAY, time(16, 14))),
        (instant_ns(FRIDAY, time(16, 19)), instant_ns(FRIDAY, time(16, 19))),
        (instant_ns(FRIDAY, time(16, 21)), NEXT_WEEK),
        (instant_ns(SATURDAY, time(12)), NEXT_WEEK),
        (instant_ns(HALF_DAY, time(13, 10)), instant_ns(HALF_DAY, time(13, 10))),
        (instant_ns(HALF_DAY, time(13, 21)), instant_ns(date(2019, 12, 2), time(9, 45))),
    ],
)
def test_it_is_seen_open_in_sessions_and_a_delay_later(now: int, opens: int) -> None:
    assert MarketHours(delay_s=900.0).opens_ns(now) == opens


@pytest.mark.parametrize(
    ("seen", "stands_for"),
    [
        (instant_ns(FRIDAY, time(12)), instant_ns(FRIDAY, time(12))),
        (instant_ns(FRIDAY, time(20)), instant_ns(FRIDAY, time(16))),
        (instant_ns(SATURDAY, time(3)), instant_ns(FRIDAY, time(16))),
        (instant_ns(TUESDAY, time(8)), instant_ns(FRIDAY, time(16))),
        (instant_ns(HALF_DAY, time(15)), instant_ns(HALF_DAY, time(13))),
    ],
)
def test_quotes_out_of_hours_are_those_of_the_close(seen: int, stands_for: int) -> None:
    assert within_session_ns(seen) == stands_for
