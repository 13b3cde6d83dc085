from __future__ import annotations

from decimal import Decimal

import pytest
from trading_examples import (
    BUY,
    NOW,
    SELL,
    approval,
    call,
    chain,
    leg,
    ns,
    put,
    refusal,
    signal,
    signal_set,
    submit,
)

from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.state_machine import event_name, status_name
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.errors import InvalidArgument, NotFound, Refused
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.v1 import common_pb2, order_pb2, order_service_pb2, risk_pb2, signal_pb2

TRACE = "0af7651916cd43dd8448eb211c80319c"
GTC = order_pb2.TIME_IN_FORCE_GTC


def engine(**settings: object) -> OrderEngine:
    made = OrderEngine(OrderSettings.model_validate(settings))
    made.on_chain(chain())
    return made


def trade(it: OrderEngine, signals: signal_pb2.SignalSet, quantity: int) -> order_pb2.OrderBatch:
    decisions = [approval(intent, quantity) for intent in it.propose(signals)]
    return it.on_decisions(signals, decisions, TRACE)


def command(it: OrderEngine, request: order_service_pb2.SubmitOrderRequest) -> order_pb2.OrderBatch:
    intent = it.propose_command(request)
    return it.on_command(request, approval(intent, request.quantity.units), TRACE)


def history(batch: order_pb2.OrderBatch) -> list[str]:
    return [event_name(event.type) for event in batch.events]


def pnl_holds(it: OrderEngine, batches: list[order_pb2.OrderBatch]) -> bool:
    cash = Decimal(0)
    for batch in batches:
        for fill in batch.fills:
            amount = to_decimal(fill.quantity) * to_decimal(fill.price) * to_decimal(fill.multiplier)
            cash += (-amount if fill.side == BUY else amount) - to_decimal(fill.fee)
    value = sum((holding.market_value for holding in it.ledger.open()), Decimal(0))
    return to_decimal(batches[-1].pnl[0].net) == cash + value


def test_an_approved_signal_is_filled_at_the_quotes_with_its_fee() -> None:
    it = engine()
    batch = trade(it, signal_set(signal()), 3)
    assert history(batch) == ["INITIALISED", "APPROVED", "ACKNOWLEDGED", "FILL"]
    order, fill = batch.orders[0], batch.fills[0]
    assert status_name(order.status) == "FILLED"
    assert to_decimal(order.average_price) == 41
    assert [to_decimal(one) for one in (fill.quantity, fill.price, fill.fee)] == [3, 41, Decimal("3.93")]
    assert fill.trace_id == order.trace_id == TRACE
    assert fill.snapshot_id == batch.snapshot_id == "snapshot-1"
    assert to_decimal(batch.pnl[0].net) == -150 - Decimal("3.93")
    assert pnl_holds(it, [batch])


def test_the_intent_asks_risk_for_a_size_at_the_natural_price() -> None:
    spread = signal([leg(call(2900)), leg(put(2900), SELL, 2)])
    intent = engine().propose(signal_set(spread))[0]
    assert to_decimal(intent.limit_price) == 41 - 2 * 38
    assert to_decimal(intent.quantity) == 0
    assert intent.confidence == spread.confidence


def test_a_refused_signal_is_a_denied_order_that_says_why() -> None:
    it = engine()
    signals = signal_set(signal())
    batch = it.on_decisions(signals, [refusal(intent) for intent in it.propose(signals)], TRACE)
    assert history(batch) == ["INITIALISED", "DENIED"]
    assert batch.orders[0].reason == "MAX_VEGA: 2 is more than 1"
    assert not batch.fills


def test_a_signal_without_a_quote_is_denied_and_never_asked() -> None:
    it = OrderEngine(OrderSettings())
    it.on_chain(chain(quotes={call(2900): (0.0, 41.0)}))
    signals = signal_set(signal([leg(call(2900), SELL)]))
    assert it.propose(signals) == []
    batch = it.on_decisions(signals, [], TRACE)
    assert "NO_QUOTE" in batch.orders[0].reason
    assert "bid" in batch.orders[0].reason


def test_a_signal_that_comes_again_changes_nothing() -> None:
    it = engine()
    signals = signal_set(signal())
    first = trade(it, signals, 1)
    assert it.propose(signals) == []
    again = it.on_decisions(signals, [], TRACE)
    assert len(first.fills) == 1
    assert not again.orders
    assert not again.events
    assert not again.fills


def test_an_empty_signal_set_still_gives_a_batch() -> None:
    batch = engine().on_decisions(signal_set(), [], TRACE)
    assert (batch.snapshot_id, batch.underlying, batch.time_ns) == ("snapshot-1", "SPX", NOW)
    assert batch.provenance == common_pb2.PROVENANCE_SIMULATED


def test_a_missing_decision_is_an_error_and_never_an_unchecked_trade() -> None:
    it = engine()
    with pytest.raises(ValueError, match="no decision"):
        it.on_decisions(signal_set(signal()), [], TRACE)


def test_signals_of_another_snapshot_are_not_traded_on_these_quotes() -> None:
    it = engine()
    with pytest.raises(ValueError, match="snapshot-9"):
        it.propose(signal_set(signal(), snapshot_id="snapshot-9"))


def test_all_legs_fill_together_and_the_scarcest_decides() -> None:
    it = OrderEngine(OrderSettings())
    it.on_chain(chain(sizes=(6.0, 4.0)))
    batch = trade(it, signal_set(signal([leg(call(2900)), leg(put(2900), SELL, 2)])), 5)
    assert [int(to_decimal(fill.quantity)) for fill in batch.fills] == [3, 6]
    assert status_name(batch.orders[0].status) == "PARTIALLY_FILLED"
    assert to_decimal(batch.orders[0].average_price) == 41 - 76


def test_size_once_taken_is_gone_until_the_next_snapshot() -> None:
    it = engine(assumed_size=10)
    first = command(it, submit(quantity="7", time_in_force=GTC))
    second = command(it, submit(request_id="request-2", quantity="7", time_in_force=GTC))
    assert to_decimal(first.orders[0].filled_quantity) == 7
    assert to_decimal(second.orders[0].filled_quantity) == 3
    it.on_chain(chain("snapshot-2", time_ns=NOW + 60 * 10**9))
    later = it.on_decisions(signal_set(snapshot_id="snapshot-2", time_ns=NOW + 60 * 10**9), [], "")
    assert history(later) == ["FILL"]
    assert to_decimal(later.orders[0].filled_quantity) == 7
    assert later.fills[0].snapshot_id == "snapshot-2"
    assert later.fills[0].trace_id == TRACE
    assert pnl_holds(it, [first, second, later])


def test_a_limit_below_the_ask_rests_until_the_quotes_come_to_it() -> None:
    it = engine()
    resting = command(it, submit(limit="40.50", time_in_force=GTC))
    assert history(resting)[-1] == "ACKNOWLEDGED"
    it.on_chain(chain("snapshot-2", {call(2900): (39.0, 40.0)}, time_ns=NOW + 10**9))
    filled = it.on_decisions(signal_set(snapshot_id="snapshot-2", time_ns=NOW + 10**9), [], "")
    assert to_decimal(filled.fills[0].price) == 40


def test_a_zero_quote_cannot_be_hit() -> None:
    it = OrderEngine(OrderSettings())
    it.on_chain(chain(quotes={call(2900): (0.0, 0.0), put(2900): (1.0, 2.0)}))
    batch = command(it, submit(limit="41", time_in_force=GTC))
    assert not batch.fills
    sold = command(it, submit([leg(call(2900), SELL)], request_id="request-2", limit="0", time_in_force=GTC))
    assert not sold.fills


def test_a_day_order_expires_at_the_end_of_its_session() -> None:
    it = engine()
    command(it, submit(limit="30"))
    it.on_chain(chain("snapshot-2", time_ns=ns("2019-04-25 15:59")))
    assert not it.on_decisions(signal_set(snapshot_id="snapshot-2", time_ns=NOW), [], "").events
    it.on_chain(chain("snapshot-3", {call(2900): (29.0, 29.5)}, time_ns=ns("2019-04-26 15:00")))
    batch = it.on_decisions(signal_set(snapshot_id="snapshot-3", time_ns=NOW), [], "")
    assert history(batch) == ["EXPIRED"]
    assert batch.orders[0].reason == "SESSION_END"


def test_the_rest_of_an_immediate_order_is_cancelled() -> None:
    batch = command(engine(), submit(quantity="15", time_in_force=order_pb2.TIME_IN_FORCE_IOC))
    assert history(batch)[-2:] == ["PARTIAL_FILL", "CANCELLED"]
    assert batch.orders[0].reason == "IMMEDIATE_OR_CANCEL"


def test_a_market_order_takes_the_quotes() -> None:
    request = submit([leg(put(2900), SELL)], type=order_pb2.ORDER_TYPE_MARKET)
    request.ClearField("limit_price")
    batch = command(engine(), request)
    assert to_decimal(batch.fills[0].price) == 38
    assert to_decimal(batch.orders[0].average_price) == -38


def test_an_expired_option_is_settled_at_its_intrinsic_value() -> None:
    it = engine()
    bought = trade(it, signal_set(signal([leg(call(2900)), leg(put(2900), SELL)])), 2)
    time_ns = ns("2019-05-17 16:00")
    it.on_chain(chain("snapshot-2", {call(2900, "2019-06-21"): (50.0, 51.0)}, time_ns=time_ns, spot=2912.34))
    settled = it.on_decisions(signal_set(snapshot_id="snapshot-2", time_ns=time_ns), [], "")
    values = {fill.instrument_id: (fill.side, to_decimal(fill.price)) for fill in settled.fills}
    assert values == {call(2900): (SELL, Decimal("12.34")), put(2900): (BUY, Decimal(0))}
    assert all("CASH_SETTLEMENT" in order.reason for order in settled.orders)
    assert not list(it.ledger.open())
    assert pnl_holds(it, [bought, settled])


def test_settlement_waits_for_a_spot() -> None:
    it = engine()
    trade(it, signal_set(signal()), 1)
    time_ns = ns("2019-05-20 15:00")
    it.on_chain(
        chain("snapshot-2", {call(2900, "2019-06-21"): (50.0, 51.0)}, time_ns=time_ns, spot=float("nan"))
    )
    assert not it.on_decisions(signal_set(snapshot_id="snapshot-2", time_ns=time_ns), [], "").fills
    assert len(list(it.ledger.open())) == 1


def test_cancel_takes_the_rest_off_and_only_once() -> None:
    it = engine()
    order_id = command(it, submit(limit="30")).orders[0].order_id
    request = order_service_pb2.CancelOrderRequest(request_id="c", order_id=order_id)
    assert history(it.cancel(request)) == ["CANCEL_REQUESTED", "CANCELLED"]
    with pytest.raises(Refused, match="final"):
        it.cancel(request)
    with pytest.raises(NotFound):
        it.cancel(order_service_pb2.CancelOrderRequest(request_id="c", order_id="nobody"))


def test_replace_changes_the_terms_and_matches_anew() -> None:
    it = engine()
    order_id = command(it, submit(limit="30")).orders[0].order_id
    request = order_service_pb2.ReplaceOrderRequest(
        request_id="r",
        order_id=order_id,
        limit_price=common_pb2.Decimal(units=41),
        quantity=common_pb2.Decimal(units=4),
    )
    intent = it.propose_replace(request)
    assert intent.intent_id == order_id
    assert to_decimal(intent.quantity) == 4
    batch = it.replace(request, approval(intent, 4))
    assert history(batch) == ["REPLACED", "FILL"]
    assert to_decimal(batch.orders[0].quantity) == 4


def test_a_refused_replace_leaves_the_order_as_it_was() -> None:
    it = engine()
    order_id = command(it, submit(limit="30")).orders[0].order_id
    request = order_service_pb2.ReplaceOrderRequest(
        request_id="r", order_id=order_id, limit_price=common_pb2.Decimal(units=41)
    )
    batch = it.replace(request, refusal(it.propose_replace(request)))
    assert not batch.events
    order = it.get(order_id)
    assert order is not None
    assert to_decimal(order.limit_price) == 30


def test_a_halt_cancels_every_working_order_and_always_gives_one_batch() -> None:
    it = engine()
    for number in range(3):
        command(it, submit(request_id=f"request-{number}", limit="30"))
    halted = risk_pb2.RiskState(state=risk_pb2.TRADING_STATE_HALTED, reason="drill")
    batch = it.on_halt(halted, NOW, snapshot_id="snapshot-1", underlying="SPX")
    assert history(batch) == ["CANCEL_REQUESTED", "CANCELLED"] * 3
    assert {order.reason for order in batch.orders} == {"TRADING_HALTED: drill"}
    assert batch.snapshot_id == "snapshot-1"
    empty = it.on_halt(halted, NOW)
    assert not empty.events
    assert empty.underlying == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"request_id": ""}, "request_id"),
        ({"underlying": "XYZ"}, "underlying"),
        ({"type": 0}, "type"),
        ({"type": 99}, "type"),
        ({"time_in_force": 99}, "time_in_force"),
        ({"quantity": common_pb2.Decimal()}, "quantity"),
        ({"quantity": common_pb2.Decimal(units=-1)}, "quantity"),
        ({"quantity": common_pb2.Decimal(units=1, nanos=5)}, "quantity"),
        ({"quantity": common_pb2.Decimal(units=1, nanos=-5)}, "quantity.nanos"),
        ({"limit_price": common_pb2.Decimal(units=41, nanos=-1)}, "limit_price.nanos"),
        ({"limit_price": common_pb2.Decimal(units=41, nanos=1)}, "limit_price"),
        ({"limit_price": common_pb2.Decimal(units=41_000_000)}, "limit_price"),
        ({"limit_price": None}, "limit_price"),
        ({"quantity": None}, "quantity"),
        ({"legs": []}, "legs"),
        ({"legs": [leg("SPXW  190517C99999000")]}, "legs[0].instrument_id"),
        ({"legs": [leg("rubbish")]}, "legs[0].instrument_id"),
        ({"legs": [leg(call(2900)), leg(call(2900))]}, "legs[1].instrument_id"),
        ({"legs": [leg(call(2900), common_pb2.SIDE_UNSPECIFIED)]}, "legs[0].side"),
        ({"legs": [leg(call(2900), BUY, 0)]}, "legs[0].ratio"),
        ({"legs": [leg(call(2900))] * 9}, "legs"),
    ],
)
def test_a_bad_command_is_refused_by_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    request = submit()
    for name, value in change.items():
        request.ClearField(name)  # type: ignore[arg-type]
        if isinstance(value, list):
            getattr(request, name).extend(value)
        elif isinstance(value, common_pb2.Decimal):
            getattr(request, name).CopyFrom(value)
        elif value is not None:
            setattr(request, name, value)
    with pytest.raises(InvalidArgument) as refused:
        engine().propose_command(request)
    assert field in [violation.field for violation in refused.value.violations]
