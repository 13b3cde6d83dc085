from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError
from trading_examples import BUY, EXPIRY_NS, NOW, SELL, call, chain, check_request, fill, intent, put, submit

from skewline.storage.database import Database
from skewline.storage.order import listing, repository
from skewline.storage.order.decimals import exact, message
from skewline.storage.order.listing import FillQuery, OrderQuery, PositionQuery
from skewline.storage.order.rows import StoredOrder, StoredPosition, StoredQuestion
from skewline.v1 import common_pb2, order_pb2, order_service_pb2

POSITION = StoredPosition(
    instrument_id=call(2900),
    underlying="SPX",
    is_call=True,
    strike=Decimal(2900),
    expiry_ns=EXPIRY_NS,
    multiplier=Decimal(100),
    currency="USD",
    provenance=common_pb2.PROVENANCE_SIMULATED,
    quantity=Decimal(-3),
    cost=Decimal("-12345.678901234"),
    realised=Decimal("0.01"),
    fees=Decimal("3.93"),
    mark=Decimal("41.125"),
    mark_ns=NOW,
    mark_provenance=common_pb2.PROVENANCE_RECORDED,
    number=1,
)


def stored(number: int, status: order_pb2.OrderStatus.ValueType) -> StoredOrder:
    order = order_pb2.Order(
        order_id=f"order-{number}",
        signal_id=f"signal-{number % 2}",
        underlying="SPX",
        status=status,
        quantity=common_pb2.Decimal(units=3),
        limit_price=common_pb2.Decimal(units=-1, nanos=-50_000_000),
        created_ns=NOW,
        updated_ns=NOW + number,
    )
    return StoredOrder(order, number, 4, Decimal("-3.15"), EXPIRY_NS, f"00-trace-{number}")


@pytest.fixture
def database(database_url: str) -> Database:
    return Database.open(database_url, "order")


@pytest.mark.parametrize("text", ["0", "-0.000000001", "41.05", "-9223372036854775807.999999999", "1e3"])
def test_decimals_keep_every_digit(text: str) -> None:
    assert exact(message(Decimal(text))) == Decimal(text)


def test_orders_are_replaced_by_their_newer_state_and_only_live_ones_restored(database: Database) -> None:
    working, filled = order_pb2.ORDER_STATUS_WORKING, order_pb2.ORDER_STATUS_FILLED
    with database, database.begin() as connection:
        repository.save_orders(connection, [stored(2, working), stored(1, working), stored(3, filled)])
        repository.save_orders(connection, [stored(2, filled)])
        assert repository.live_orders(connection) == [stored(1, working)]
        assert sorted(repository.order_ids(connection)) == ["order-1", "order-2", "order-3"]
        assert repository.order_count(connection) == 3
        assert listing.order(connection, "order-2") == stored(2, filled).order
        assert listing.order(connection, "nobody") is None


def test_orders_are_listed_newest_first_by_what_is_asked(database: Database) -> None:
    working, filled = order_pb2.ORDER_STATUS_WORKING, order_pb2.ORDER_STATUS_FILLED
    with database, database.begin() as connection:
        made = [stored(n, working if n < 3 else filled) for n in range(1, 6)]
        repository.save_orders(connection, made)

        def numbers(query: OrderQuery, before: int | None = None, limit: int = 10) -> list[int]:
            return [number for number, _ in listing.orders(connection, query, before, limit)]

        assert numbers(OrderQuery()) == [5, 4, 3, 2, 1]
        assert numbers(OrderQuery(), before=4, limit=2) == [3, 2]
        assert numbers(OrderQuery(statuses=(working,))) == [2, 1]
        assert numbers(OrderQuery(signal_id="signal-0")) == [4, 2]
        assert numbers(OrderQuery(underlying="XYZ")) == []


def test_a_fill_is_stored_once(database: Database) -> None:
    one = fill(call(2900), BUY, 2, "41.05", fee="2.62")
    with database:
        with database.begin() as connection:
            repository.add_fills(connection, [one, fill(put(2900), SELL, 2, "38")])
        with pytest.raises(IntegrityError), database.begin() as connection:
            repository.add_fills(connection, [one])
        with database.read() as connection:
            assert [made.instrument_id for _, made in listing.fills(connection, FillQuery(), None, 9)] == [
                put(2900),
                call(2900),
            ]
            assert listing.fill(connection, one.fill_id) == one


def test_positions_come_back_exactly(database: Database) -> None:
    closed = replace(POSITION, instrument_id=put(2900), quantity=Decimal(0), number=2)
    with database, database.begin() as connection:
        repository.save_positions(connection, [closed, POSITION])
        assert repository.positions(connection) == [POSITION, closed]
        assert listing.positions(connection, PositionQuery(), "", 9) == [POSITION]
        assert listing.positions(connection, PositionQuery(include_closed=True), call(2900), 9) == [closed]
        repository.save_positions(connection, [replace(POSITION, quantity=Decimal(5))])
        assert [held.quantity for held in repository.positions(connection)] == [5, 0]


def test_profit_and_loss_points_are_listed_by_time_and_the_newest_is_known(database: Database) -> None:
    points = [
        order_pb2.Pnl(
            currency=currency,
            realised=common_pb2.Decimal(units=n),
            unrealised=common_pb2.Decimal(nanos=-1),
            fees=common_pb2.Decimal(units=1, nanos=310_000_000),
            net=common_pb2.Decimal(units=n),
            time_ns=NOW + n,
            provenance=common_pb2.PROVENANCE_SIMULATED,
        )
        for n, currency in enumerate(["USD", "EUR", "USD"])
    ]
    with database, database.begin() as connection:
        repository.add_pnl(connection, points)
        assert [point for _, point in listing.pnl(connection, 0, 0, 0, 9)] == points
        assert [point for _, point in listing.pnl(connection, NOW + 1, NOW + 2, 0, 9)] == [points[1]]
        assert listing.newest_pnl(connection) == [points[1], points[2]]


def test_one_book_an_underlying_is_kept_and_requests_are_noted_once(database: Database) -> None:
    with database:
        with database.begin() as connection:
            repository.save_book(connection, chain("snapshot-1"))
            repository.save_book(connection, chain("snapshot-2"))
            assert repository.books(connection) == [chain("snapshot-2")]
            repository.add_request(connection, "request-1", "submit:abc", "order-1")
            assert repository.request(connection, "request-1") == ("submit:abc", "order-1")
            assert repository.request(connection, "request-2") is None
        with pytest.raises(IntegrityError), database.begin() as connection:
            repository.add_request(connection, "request-1", "cancel:abc", "order-1")


def test_a_question_is_there_until_its_answer_was_used(database: Database) -> None:
    noted = StoredQuestion(
        check_request(intent(), request_id="check-1"),
        order_service_pb2.StreamOrdersRequest(submit=submit()),
    )
    with database, database.begin() as connection:
        for _ in range(2):
            repository.save_question(connection, noted)
        assert repository.questions(connection) == [noted]
        assert repository.remove_question(connection, "check-1")
        assert not repository.remove_question(connection, "check-1")
        assert repository.questions(connection) == []
