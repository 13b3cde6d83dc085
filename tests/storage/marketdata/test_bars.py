"""Recorded bars in and out of both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skewline.storage.database import Database
from skewline.storage.marketdata import bars
from skewline.storage.marketdata.bars import BarQuery, BarRow, Saved

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database.open(database_url, "marketdata") as opened:
        yield opened


def row(start: int, close: float = 1.5, *, interval: int = MINUTE, underlying: str = "XYZ") -> BarRow:
    return BarRow(underlying, interval, start, 1.0, 2.0, 0.5, close, 100.25, "test", 2)


def test_a_bar_comes_back_bit_for_bit_and_a_correction_replaces_it(database: Database) -> None:
    odd = row(0, 0.1 + 0.2)
    with database.begin() as connection:
        assert bars.save(connection, [odd, row(MINUTE)]) == Saved(2, 0, 0)
    with database.begin() as connection:
        assert bars.save(connection, [odd, row(MINUTE, 1.75), row(2 * MINUTE)]) == Saved(1, 1, 1)
        assert bars.save(connection, []) == Saved(0, 0, 0)
    with database.read() as connection:
        query = BarQuery("XYZ", MINUTE)
        assert bars.oldest(connection, query, 10) == [odd, row(MINUTE, 1.75), row(2 * MINUTE)]


def test_bars_are_found_by_underlying_length_and_time(database: Database) -> None:
    with database.begin() as connection:
        bars.save(connection, [row(at * MINUTE) for at in range(1200)])
        bars.save(connection, [row(0, interval=DAY)])
        bars.save(connection, [row(0, interval=HOUR, underlying="ABC")])
        assert bars.save(connection, [row(at * MINUTE, 1.25) for at in range(1200)]) == Saved(0, 1200, 0)
    with database.read() as connection:
        assert bars.intervals(connection, "XYZ") == [DAY, MINUTE]
        assert bars.intervals(connection, "ABC") == [HOUR]
        assert bars.intervals(connection, "NONE") == []
        between = BarQuery("XYZ", MINUTE, 2 * MINUTE, 5 * MINUTE)
        assert [each.start_ns // MINUTE for each in bars.oldest(connection, between, 10)] == [2, 3, 4]
        assert [each.start_ns // MINUTE for each in bars.newest(connection, between, 2)] == [3, 4]
        assert len(bars.newest(connection, BarQuery("XYZ", MINUTE), 5000)) == 1200
