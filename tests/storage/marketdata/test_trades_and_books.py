"""Order books, trades and their minutes in the tables, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skewline.storage.database import Database
from skewline.storage.marketdata import order_books, trade_minutes, trades
from skewline.storage.marketdata.trade_minutes import MINUTE_NS, TradeMinute
from skewline.storage.marketdata.trades import TradeQuery
from skewline.v1 import common_pb2, order_book_pb2

LIVE = common_pb2.PROVENANCE_LIVE
BEGIN_NS = 1_723_161_240_000_000_000


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database.open(database_url, "marketdata") as opened:
        yield opened


def batch(first_id: int, *times_ns: int, name: str = "a:X") -> order_book_pb2.TradeBatch:
    count = len(times_ns)
    return order_book_pb2.TradeBatch(
        instrument_id=name,
        provenance=LIVE,
        time_ns=[BEGIN_NS + each for each in times_ns],
        price=[100.0 + first_id + n for n in range(count)],
        quantity=[0.5] * count,
        is_buy=[True] * count,
        trade_id=[first_id + n for n in range(count)],
    )


def ids(found: list[order_book_pb2.TradeBatch]) -> list[int]:
    return [each for one in found for each in one.trade_id]


def test_trades_are_found_by_id_time_and_sequence(database: Database) -> None:
    with database.begin() as connection:
        assert (trades.last_id(connection, "a:X"), trades.bounds(connection)) == (0, (0, 0))
        sequences = [
            trades.add(connection, each, 7)
            for each in (batch(1, 0, 5), batch(3, 10), batch(9, 3, name="a:Y"), batch(4, 20, 25))
        ]
    assert sequences == sorted(sequences)
    with database.read() as connection:
        assert trades.last_id(connection, "a:X") == 5
        assert ids(trades.batches(connection, TradeQuery("a:X"), 2, 9)) == [3, 4, 5]
        within = TradeQuery("a:X", BEGIN_NS + 5, BEGIN_NS + 11)
        assert ids(list(trades.oldest_first(connection, within))) == [1, 2, 3]
        assert ids(list(trades.newest_first(connection, TradeQuery("a:X")))) == [4, 5, 3, 1, 2]
        later = trades.since(connection, sequences[1], 9)
        assert [each.batch.instrument_id for each in later] == ["a:Y", "a:X"]
        assert [each.sequence for each in trades.newest(connection)] == sequences[2:]
        assert trades.unpublished_after(connection) == sequences[0] - 1
    with database.begin() as connection:
        trades.mark_published(connection, sequences[2])
    with database.read() as connection:
        assert trades.unpublished_after(connection) == sequences[2]


def test_only_trades_that_are_published_go_and_always_the_oldest(database: Database) -> None:
    with database.begin() as connection:
        sequences = [trades.add(connection, batch(n, n * 10), 7) for n in range(1, 6)]
        assert trades.expired(connection, 15).count == 0
        trades.mark_published(connection, sequences[-1])
        found = trades.expired(connection, 15)
        assert (found.count, found.oldest_ns, found.newest_ns) == (3, BEGIN_NS + 10, BEGIN_NS + 30)
        assert [trades.delete_expired(connection, 15, 2) for _ in range(3)] == [2, 1, 0]
        assert trades.bounds(connection) == (sequences[3], sequences[4])


def test_minutes_are_kept_up_batch_by_batch(database: Database) -> None:
    with database.begin() as connection:
        for each in (batch(1, 0, 5), batch(3, 9, MINUTE_NS), batch(5, MINUTE_NS + 1)):
            trade_minutes.add(connection, each)
    with database.read() as connection:
        found = trade_minutes.oldest(connection, "a:X", 0, 0, 9)
        assert found == [
            TradeMinute(BEGIN_NS, 101.0, 103.0, 101.0, 103.0, 1.5, 3, LIVE),
            TradeMinute(BEGIN_NS + MINUTE_NS, 104.0, 105.0, 104.0, 105.0, 1.0, 2, LIVE),
        ]
        assert trade_minutes.newest(connection, "a:X", 0, 0, 1) == found[1:]
        assert trade_minutes.oldest(connection, "a:X", BEGIN_NS + 1, 0, 9) == found[1:]


def test_books_are_found_as_of_a_time_and_go_but_for_the_newest(database: Database) -> None:
    books = [
        order_book_pb2.OrderBook(instrument_id=name, time_ns=BEGIN_NS + at, received_ns=at, update_id=at)
        for name, at in (("a:X", 10), ("a:X", 20), ("a:Y", 5), ("a:X", 30))
    ]
    with database.begin() as connection:
        for book in books:
            order_books.add(connection, book)
    with database.begin() as connection:
        assert order_books.as_of(connection, "a:X", BEGIN_NS + 29) == books[1]
        assert order_books.as_of(connection, "a:X", BEGIN_NS + 9) is None
        assert order_books.newest(connection) == [books[2], books[3]]
        found = order_books.expired(connection, 10)
        assert (found.count, found.oldest_ns, found.newest_ns) == (1, BEGIN_NS + 10, BEGIN_NS + 10)
        assert [order_books.delete_expired(connection, 0, 9) for _ in range(2)] == [2, 0]
        assert order_books.newest(connection) == [books[2], books[3]]
