"""Exchange sessions, and when options expire."""

from datetime import date, time

from skewline.servers.runtime import new_york
from skewline.servers.runtime.new_york import expiry_ns, instant_ns
from skewline.v1 import instrument_pb2

AM, PM = instrument_pb2.SETTLEMENT_STYLE_AM, instrument_pb2.SETTLEMENT_STYLE_PM


def test_options_expire_at_the_opening_or_the_close_of_their_day() -> None:
    day = date(2019, 5, 17)
    assert expiry_ns(day, AM) == instant_ns(day, time(9, 30))
    assert expiry_ns(day, PM) == instant_ns(day, time(16))


def test_on_half_days_they_expire_early() -> None:
    assert expiry_ns(date(2019, 11, 29), PM) == instant_ns(date(2019, 11, 29), time(13))


def test_those_listed_for_a_saturday_cease_on_friday() -> None:
    assert expiry_ns(date(2014, 6, 21), PM) == instant_ns(date(2014, 6, 20), time(16))


def test_where_that_friday_is_a_holiday_they_cease_the_day_before() -> None:
    # Good Friday of 2014 was on 18 April.
    assert expiry_ns(date(2014, 4, 19), AM) == instant_ns(date(2014, 4, 17), time(9, 30))


def test_sessions_of_a_run_of_days_are_those_of_each() -> None:
    first = (date(2019, 5, 20) - date(1970, 1, 1)).days
    each = [new_york.is_session(date.fromordinal(date(2019, 5, 20).toordinal() + n)) for n in range(14)]
    assert new_york.sessions(first, 14).tolist() == each
