"""An engine restored from the tables after every event ends where the undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Connection
from trading_examples import (
    BUY,
    NOW,
    SELL,
    batch,
    call,
    check_request,
    fill,
    intent,
    leg,
    native_surface,
    put,
    surface,
)

from skewline.servers.risk import store
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.risk.operations import RiskOperations
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.processor import Delivered
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.storage.database import Database
from skewline.v1 import common_pb2, order_pb2, risk_pb2, risk_service_pb2

SETTINGS = RiskSettings.model_validate(
    {"limits": {"max_drawdown": 1500.0, "max_orders_per_snapshot": 2}, "recent_surfaces": 1}
)
Step = Callable[[RiskOperations, Connection], Any]


def surface_step(number: int, spot: float = 2900.0, vol: float = 0.15) -> Step:
    fitted = surface(f"snapshot-{number}", time_ns=NOW + number, spot=spot, vol=vol)
    return lambda operations, connection: operations.surface(connection, fitted)


def native_step(number: int) -> Step:
    fitted = native_surface(NATIVE, f"snapshot-{number}", time_ns=NOW + number)
    return lambda operations, connection: operations.surface(connection, fitted)


def check_step(number: int, *intents: risk_pb2.OrderIntent) -> Step:
    request = check_request(
        *intents, request_id=f"check-{number}", snapshot_id=f"snapshot-{number}", time_ns=NOW + number
    )
    return lambda operations, connection: operations.check(connection, request)[0]


def batch_step(number: int, *fills: order_pb2.Fill, orders: tuple[order_pb2.Order, ...] = ()) -> Step:
    made = batch(*fills, orders=orders, snapshot_id=f"snapshot-{number}", time_ns=NOW + number)
    event = envelope(
        service="order",
        payload=made,
        key=(number,),
        time_ns=NOW + number,
        snapshot_id=made.snapshot_id,
        underlying="SPX",
        received_ns=1,
        published_ns=2,
    )

    def step(operations: RiskOperations, connection: Connection) -> list[Message]:
        outgoing = operations.orders(connection, Delivered(event, 1, ""))
        return [
            out.event.portfolio if out.event.HasField("portfolio") else out.event.risk_state
            for out in outgoing
        ]

    return step


def resume(operations: RiskOperations, connection: Connection) -> Any:
    request = risk_service_pb2.ResumeTradingRequest(request_id="r", reason="accepted", changed_by="operator")
    return operations.resume(connection, request)[0]


def limits(operations: RiskOperations, connection: Connection) -> Any:
    changed = risk_pb2.RiskLimits(
        **dict.fromkeys((f.name for f in risk_pb2.RiskLimits.DESCRIPTOR.fields), 1e6)
    )
    changed.min_confidence = changed.kelly_scale = 0.5
    request = risk_service_pb2.SetLimitsRequest(request_id="l", limits=changed, changed_by="operator")
    return operations.set_limits(connection, request)[0]


def order_of(
    order_id: str, quantity: int, filled: int, status: order_pb2.OrderStatus.ValueType
) -> order_pb2.Order:
    return order_pb2.Order(
        order_id=order_id,
        status=status,
        quantity=common_pb2.Decimal(units=quantity),
        filled_quantity=common_pb2.Decimal(units=filled),
    )


NATIVE = ("BTC-17MAY19-2800-P", "BTC-17MAY19-2900-C", "BTC-17MAY19-3000-C")
ASKED = [intent(intent_id=f"intent-{n}", signal_id="s", quantity=0, edge_stdev=600.0) for n in range(3)]
FILLED = order_of("intent-10", 1, 1, order_pb2.ORDER_STATUS_FILLED)
STEPS: list[Step] = [
    surface_step(1),
    check_step(1, *ASKED),
    batch_step(
        1,
        fill(call(2900), BUY, 1, "41", fee="1.31"),
        orders=(
            order_of("intent-0", 2, 1, order_pb2.ORDER_STATUS_PARTIALLY_FILLED),
            order_of("intent-1", 2, 0, order_pb2.ORDER_STATUS_CANCELLED),
        ),
    ),
    surface_step(2, 2910.0),
    surface_step(3, 2890.0),
    check_step(2, intent([leg(put(2900), SELL)], intent_id="intent-5", limit="-38", quantity=1)),
    batch_step(2, fill(put(2900), SELL, 1, "38.05", fee="1.31"), fill(call(2900), BUY, 1, "42")),
    batch_step(3),
    surface_step(4, 2800.0, 0.10),
    batch_step(4),
    check_step(4, intent(intent_id="intent-6")),
    resume,
    check_step(4, intent(intent_id="intent-6")),
    limits,
    surface_step(5, 2805.0),
    check_step(5, *[intent(intent_id=f"intent-{n}", limit="1") for n in (7, 8, 9)]),
    batch_step(5),
    native_step(6),
    check_step(6, intent([leg(NATIVE[1])], intent_id="intent-10")),
    batch_step(6, fill(NATIVE[1], BUY, 1, "41"), orders=(FILLED,)),
    # Its quotes have gone: what the id means is remembered.
    surface_step(7, 2990.0),
    batch_step(7),
    check_step(7, intent([leg(NATIVE[1], SELL)], intent_id="intent-11", limit="-90")),
]


def run(url: str, *, restored: bool) -> list[Any]:
    engine = RiskEngine(SETTINGS)
    operations, outcomes = RiskOperations(engine), []
    with Database.open(url, "risk") as database:
        for step in STEPS:
            with database.begin() as connection:
                outcomes.append(step(operations, connection))
            if restored:
                with database.read() as connection:
                    engine.restore(store.load(connection, SETTINGS.recent_surfaces))
    return outcomes


def test_a_restore_after_every_event_changes_nothing(database_url: str, tmp_path_factory: Any) -> None:
    undisturbed = run(f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}", restored=False)
    assert run(database_url, restored=True) == undisturbed
    states = [outcome for outcome in undisturbed if isinstance(outcome, list)]
    assert any(isinstance(item, risk_pb2.RiskState) for outcome in states for item in outcome)
