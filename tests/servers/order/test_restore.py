"""An engine restored from the tables after every event ends where the undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable

from trading_examples import (
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

from skewline.servers.order import store
from skewline.servers.order.engine import OrderEngine
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.storage.database import Database
from skewline.v1 import common_pb2, order_pb2, order_service_pb2, risk_pb2

GTC = order_pb2.TIME_IN_FORCE_GTC
DAY = 24 * 3600 * 10**9
Step = Callable[[OrderEngine], order_pb2.OrderBatch]
QUOTES = {call(2900): (40.0, 41.0), put(2900): (38.0, 39.0), call(3000, "2019-06-21"): (12.3, 12.45)}


def snapshot(
    number: int, time_ns: int, spot: float = 2900.0, *, approve: bool = True, shift: float = 0.0
) -> Step:
    name = f"snapshot-{number}"
    quotes = {key: (bid + shift, ask + shift) for key, (bid, ask) in QUOTES.items()}
    legs = [leg(call(3000, "2019-06-21"), SELL, 2), leg(put(2900))]
    signals = signal_set(
        signal(legs, signal_id=f"signal-{number}", snapshot_id=name, time_ns=time_ns),
        snapshot_id=name,
        time_ns=time_ns,
    )

    def step(engine: OrderEngine) -> order_pb2.OrderBatch:
        engine.on_chain(chain(name, quotes, time_ns=time_ns, spot=spot))
        decide = (lambda intent: approval(intent, 3)) if approve else refusal
        return engine.on_decisions(signals, [decide(intent) for intent in engine.propose(signals)], "")

    return step


def command(number: int, quantity: str, limit: str) -> Step:
    request = submit(request_id=f"request-{number}", quantity=quantity, limit=limit, time_in_force=GTC)

    def step(engine: OrderEngine) -> order_pb2.OrderBatch:
        intent = engine.propose_command(request)
        return engine.on_command(request, approval(intent, request.quantity.units), "")

    return step


def replace_newest(engine: OrderEngine) -> order_pb2.OrderBatch:
    request = order_service_pb2.ReplaceOrderRequest(
        request_id="replace", order_id=newest(engine), quantity=common_pb2.Decimal(units=21)
    )
    return engine.replace(request, approval(engine.propose_replace(request), 21))


def halt(engine: OrderEngine) -> order_pb2.OrderBatch:
    return engine.on_halt(
        risk_pb2.RiskState(state=risk_pb2.TRADING_STATE_HALTED, reason="drill"), NOW + 5 * DAY
    )


def newest(engine: OrderEngine) -> str:
    ids = [engine.get(order_id) for order_id in engine.live_order_ids()]
    return [order.order_id for order in ids if order is not None][-1]


STEPS: list[Step] = [
    snapshot(1, NOW),
    command(1, "7", "41"),
    command(2, "17", "41.50"),
    replace_newest,
    snapshot(2, NOW + DAY, shift=0.55),
    snapshot(3, NOW + 2 * DAY, shift=-1.0, approve=False),
    command(3, "30", "42"),
    halt,
    snapshot(4, ns("2019-05-17 16:00"), 2917.35),
    snapshot(5, ns("2019-05-20 15:00"), 2930.0),
]


def run(engine: OrderEngine, database: Database) -> list[order_pb2.OrderBatch]:
    batches = []
    for step in STEPS:
        batches.append(step(engine))
        with database.begin() as connection:
            store.save(connection, engine.changes, {})
        with database.read() as connection:
            engine.restore(store.load(connection).state)
    return batches


def test_a_restore_after_every_event_changes_nothing(database_url: str) -> None:
    settings = OrderSettings(assumed_size=12)
    undisturbed = OrderEngine(settings)
    batches = [step(undisturbed) for step in STEPS]
    with Database.open(database_url, "order") as database:
        again = run(OrderEngine(settings), database)
    assert again == batches
    assert sum(len(batch.fills) for batch in batches) > 10


def test_a_failure_half_way_leaves_what_was_committed(database_url: str) -> None:
    engine = OrderEngine(OrderSettings())
    with Database.open(database_url, "order") as database:
        first = STEPS[0](engine)
        with database.begin() as connection:
            store.save(connection, engine.changes, {})
        engine.on_chain(chain("snapshot-2", time_ns=NOW + DAY))
        with database.read() as connection:
            engine.restore(store.load(connection).state)
    assert engine.time_ns == NOW
    assert engine.ledger.pnl(NOW) == list(first.pnl)
