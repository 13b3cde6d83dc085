"""What the blotter makes of a broker's reports, also of those that the simulated exchange never sends."""

from __future__ import annotations

from decimal import Decimal

import pytest
from trading_examples import NOW, call, chain, leg, ns

from skewline.servers.order import state_machine as states
from skewline.servers.order.blotter import Blotter
from skewline.servers.order.brokers.broker import (
    Acknowledged,
    CancelRejected,
    Execution,
    Rejected,
    Ticket,
    TicketLeg,
    Undetermined,
)
from skewline.servers.order.brokers.simulated import SimulatedExchange
from skewline.servers.order.fees import FeeSchedule
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.order.session import session_end_ns
from skewline.servers.order.state_machine import IllegalTransition, status_name
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.v1 import common_pb2, order_pb2

BOOK = Book(chain(), 10)


def submitted() -> tuple[Blotter, OrderRecord]:
    blotter = Blotter(FeeSchedule(OrderSettings()))
    order = order_pb2.Order(
        order_id="order-1", underlying="SPX", legs=[leg(call(2900))], quantity=common_pb2.Decimal(units=5)
    )
    record = blotter.initialise(order, NOW)
    blotter.step(record, states.ON_APPROVED, NOW)
    return blotter, record


def executed(units: int) -> Execution:
    return Execution("order-1", units, (Decimal(41),), BOOK.snapshot_id, common_pb2.PROVENANCE_SIMULATED)


def test_a_definitive_failure_rejects_the_order() -> None:
    blotter, record = submitted()
    blotter.apply([Rejected("order-1", "no such contract")], BOOK, NOW)
    assert status_name(record.order.status) == "REJECTED"
    assert record.is_final


def test_an_ambiguous_failure_leaves_the_order_open_and_says_why() -> None:
    blotter, record = submitted()
    blotter.apply([Undetermined("order-1", "the connection broke")], BOOK, NOW)
    assert status_name(record.order.status) == "SUBMITTED"
    assert record.order.reason == "the connection broke"
    assert [one.order.order_id for one in blotter.take(BOOK, NOW).records] == ["order-1"]


def test_a_fill_may_overtake_the_acknowledgement() -> None:
    blotter, record = submitted()
    blotter.apply([executed(2), Acknowledged("order-1"), executed(3)], BOOK, NOW)
    assert status_name(record.order.status) == "FILLED"


def test_a_cancel_that_comes_too_late_leaves_the_order_working() -> None:
    blotter, record = submitted()
    blotter.step(record, states.ON_CANCEL_REQUESTED, NOW)
    blotter.apply([CancelRejected("order-1", "too late")], BOOK, NOW)
    assert status_name(record.order.status) == "WORKING"


def test_an_illegal_report_changes_nothing() -> None:
    blotter, record = submitted()
    blotter.step(record, states.ON_ACKNOWLEDGED, NOW)
    before = record.sequence
    with pytest.raises(IllegalTransition, match="REJECTED cannot happen to an order that is WORKING"):
        blotter.apply([Rejected("order-1", "late")], BOOK, NOW)
    assert (record.sequence, status_name(record.order.status)) == (before, "WORKING")


def test_the_exchange_rejects_a_contract_that_it_does_not_quote() -> None:
    exchange = SimulatedExchange()
    exchange.show(BOOK)
    ticket = Ticket(
        "order-1",
        "SPX",
        (TicketLeg("rubbish", common_pb2.SIDE_BUY, 1),),
        order_pb2.ORDER_TYPE_LIMIT,
        order_pb2.TIME_IN_FORCE_GTC,
        1,
        Decimal(1),
        NOW,
        0,
    )
    assert exchange.submit(ticket) == [Rejected("order-1", "UNKNOWN_INSTRUMENT: rubbish")]
    assert isinstance(exchange.cancel("order-1", "")[0], CancelRejected)


@pytest.mark.parametrize(
    ("underlying", "contracts", "fee"),
    [("SPX", 1, "1.31"), ("SPX", 7, "9.17"), ("GOOG", 3, "2.10"), ("GOOG", 1, "0.70")],
)
def test_fees_are_exact_to_the_cent(underlying: str, contracts: int, fee: str) -> None:
    assert FeeSchedule(OrderSettings()).fee(underlying, Decimal(contracts)) == Decimal(fee)


def test_half_a_cent_is_rounded_up() -> None:
    schedule = FeeSchedule(OrderSettings(fee_per_contract=Decimal("0.005"), equity_option_fee=Decimal(0)))
    assert schedule.fee("GOOG", Decimal(1)) == Decimal("0.01")
    assert from_decimal(schedule.fee("GOOG", Decimal(3))) == common_pb2.Decimal(nanos=20_000_000)


@pytest.mark.parametrize(
    ("created", "end"),
    [
        ("2019-04-25 15:00", "2019-04-25 16:00"),
        ("2019-04-25 16:00", "2019-04-26 00:00"),
        ("2019-11-01 09:30", "2019-11-01 16:00"),
        ("2015-12-24 10:00", "2015-12-24 13:00"),
        ("2019-03-10 01:30", "2019-03-10 16:00"),
    ],
)
def test_a_session_ends_at_the_close_of_new_york_also_when_clocks_change(created: str, end: str) -> None:
    assert session_end_ns(ns(created)) == ns(end)
