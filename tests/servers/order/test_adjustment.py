"""Holdings and working orders across a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from splits import split, symbol_change
from trading_examples import approval, call, chain, leg, ns, put, signal, signal_set, submit

from skewline.servers.order import store
from skewline.servers.order.engine import OrderEngine
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.storage.database import Database
from skewline.storage.order import listing
from skewline.v1 import chain_pb2, common_pb2, order_pb2

DAY = 24 * 3600 * 10**9
BEFORE, AFTER = ns("2019-04-26 15:00"), ns("2019-04-29 10:00")
SPLIT = split("SPX", "2019-04-29")
GTC = order_pb2.TIME_IN_FORCE_GTC
TRACE = "0af7651916cd43dd8448eb211c80319c"
SEVENTH_CALL, SEVENTH_PUT = "SPXW  190517C00414290", "SPXW  190517P00414290"


def before() -> chain_pb2.OptionChain:
    return chain("before", time_ns=BEFORE)


def after(number: int = 0, mid: float = 5.75) -> chain_pb2.OptionChain:
    quotes = {SEVENTH_CALL: (mid - 0.05, mid + 0.05), SEVENTH_PUT: (5.4, 5.5)}
    made = chain(f"after-{number}", quotes, time_ns=AFTER + number * DAY, spot=414.0)
    made.corporate_actions.append(SPLIT)
    return made


def held(stored: Callable[[OrderEngine], None] = lambda _engine: None) -> OrderEngine:
    """Three calls bought at 41, and a put wanted for less than it costs, until cancelled."""
    engine = OrderEngine(OrderSettings())
    engine.on_chain(before())
    signals = signal_set(signal([leg(call(2900))]), snapshot_id="before", time_ns=BEFORE)
    engine.on_decisions(signals, [approval(intent, 3) for intent in engine.propose(signals)], TRACE)
    stored(engine)
    wanted = submit(request_id="wanted", legs=[leg(put(2900))], quantity="2", limit="30", time_in_force=GTC)
    engine.on_command(wanted, approval(engine.propose_command(wanted), 2), TRACE)
    stored(engine)
    return engine


def batch_at(engine: OrderEngine, snapshot: chain_pb2.OptionChain) -> order_pb2.OrderBatch:
    engine.on_chain(snapshot)
    nothing = signal_set(snapshot_id=snapshot.snapshot_id, time_ns=snapshot.time_ns)
    nothing.underlying = snapshot.underlying
    return engine.on_decisions(nothing, [], TRACE)


def test_a_holding_becomes_seven_times_the_contracts_at_a_seventh_of_the_strike() -> None:
    engine = held()
    batch = batch_at(engine, after())
    (adjustment,) = batch.adjustments
    assert (adjustment.from_instrument_id, adjustment.to_instrument_id) == (call(2900), SEVENTH_CALL)
    assert [to_decimal(q) for q in (adjustment.from_quantity, adjustment.to_quantity)] == [3, 21]
    assert to_decimal(adjustment.to_strike) == Decimal("414.29")
    assert to_decimal(adjustment.to_multiplier) == 100
    assert to_decimal(adjustment.cost) == 3 * 41 * 100
    assert adjustment.reason == "SPLIT 7:1 of SPX on 2019-04-29"
    assert adjustment.snapshot_id == "after-0"
    (holding,) = engine.ledger.open()
    assert (holding.contract.instrument_id, int(holding.quantity)) == (SEVENTH_CALL, 21)
    assert holding.cost == 3 * 41 * 100
    assert not batch.fills


def test_profit_and_loss_go_on_as_if_nothing_had_happened() -> None:
    engine = held()
    earlier = engine.ledger.pnl(BEFORE)[0]
    pnl = batch_at(engine, after(mid=40.5 / 7)).pnl[0]
    assert to_decimal(pnl.realised) == to_decimal(earlier.realised)
    assert to_decimal(pnl.fees) == to_decimal(earlier.fees)
    # Nothing but the quote's own rounding: 40.5 a share before is 40.5 / 7 after.
    assert abs(to_decimal(pnl.net) - to_decimal(earlier.net)) < Decimal("0.001")


def test_a_working_order_in_the_old_contracts_is_cancelled_with_the_reason() -> None:
    batch = batch_at(held(), after())
    (order,) = batch.orders
    assert order.status == order_pb2.ORDER_STATUS_CANCELLED
    assert order.reason.startswith("CORPORATE_ACTION: SPLIT 7:1 of SPX on 2019-04-29")
    assert to_decimal(order.filled_quantity) == 0


def test_the_same_action_on_later_snapshots_changes_nothing_more() -> None:
    engine = held()
    batch_at(engine, after())
    later = batch_at(engine, after(1))
    assert not later.adjustments
    assert [holding.quantity for holding in engine.ledger.open()] == [21]


def test_a_split_on_the_day_of_a_new_symbol_is_applied_once_before_the_change() -> None:
    change = symbol_change("SPX", "SPY", "2019-04-29")
    # One that the old symbol's snapshots have seen already.
    seen = split("SPX", "2019-04-26", 3)
    engine = held()
    snapshot = chain("after", {SEVENTH_CALL: (5.7, 5.8)}, time_ns=AFTER, underlying="SPY")
    snapshot.corporate_actions.extend([change, SPLIT, seen])
    adjustments = batch_at(engine, snapshot).adjustments
    renamed = "SPYW  190517C00414290"
    assert [each.to_instrument_id for each in adjustments] == [SEVENTH_CALL, renamed]
    (holding,) = engine.ledger.open()
    assert (holding.contract.underlying, int(holding.quantity)) == ("SPY", 21)
    later = chain("later", time_ns=AFTER + DAY, underlying="SPY")
    later.corporate_actions.extend(snapshot.corporate_actions)
    assert not batch_at(engine, later).adjustments


def test_what_is_bought_after_the_split_is_not_adjusted() -> None:
    engine = OrderEngine(OrderSettings())
    engine.on_chain(after())
    signals = signal_set(signal([leg(SEVENTH_CALL)]), snapshot_id="after-0", time_ns=AFTER)
    engine.on_decisions(signals, [approval(intent, 3) for intent in engine.propose(signals)], TRACE)
    batch_at(engine, after(1))
    assert [holding.quantity for holding in engine.ledger.open()] == [3]


def test_what_expired_before_the_split_is_settled_in_the_units_after_it() -> None:
    engine = held()
    snapshot = after(30)
    batch = batch_at(engine, snapshot)
    assert [fill.instrument_id for fill in batch.fills] == [SEVENTH_CALL]
    assert to_decimal(batch.fills[0].quantity) == 21
    assert not list(engine.ledger.open())


def test_offsetting_holdings_end_with_their_profit_realised() -> None:
    engine = held()
    (holding,) = engine.ledger.open()
    # A cent of strike beside it, which a seventh of is nothing after rounding.
    beside = replace(holding.contract, instrument_id="SPXW  190517C02900010", strike=Decimal("2900.01"))
    engine.ledger.record(
        beside,
        Decimal(-3),
        Decimal(42),
        Decimal(0),
        time_ns=BEFORE,
        provenance=common_pb2.PROVENANCE_RECORDED,
    )
    pnl = batch_at(engine, after()).pnl[0]
    assert not list(engine.ledger.open())
    assert to_decimal(pnl.realised) == 3 * 42 * 100 - 3 * 41 * 100
    assert to_decimal(pnl.unrealised) == 0


def test_each_rung_of_a_ladder_is_converted_once_whichever_was_bought_first() -> None:
    halved = split("SPX", "2019-04-29", 2)
    ladder = (2900, 1450, 725)
    for strikes in (ladder, ladder[::-1]):
        engine = held()
        (holding,) = engine.ledger.open()
        for number, strike in enumerate(strikes, start=1):
            engine.ledger.record(
                replace(holding.contract, instrument_id=call(strike), strike=Decimal(strike)),
                Decimal(number) if strike < 2900 else Decimal(number - 3),
                Decimal(10),
                Decimal(0),
                time_ns=BEFORE,
                provenance=common_pb2.PROVENANCE_RECORDED,
            )
        quantities = {h.contract.strike: h.quantity for h in engine.ledger.open()}
        costs = {h.contract.strike: h.cost for h in engine.ledger.open()}
        snapshot = after()
        snapshot.corporate_actions[0].CopyFrom(halved)
        batch = batch_at(engine, snapshot)
        assert {h.contract.strike * 2: h.quantity / 2 for h in engine.ledger.open()} == quantities
        assert {h.contract.strike * 2: h.cost for h in engine.ledger.open()} == costs
        told = {to_decimal(a.from_strike): to_decimal(a.from_quantity) for a in batch.adjustments}
        assert told == quantities


def test_a_restart_before_and_after_the_split_changes_nothing(database_url: str) -> None:
    undisturbed = held()
    expected = [batch_at(undisturbed, after(number)) for number in range(2)]
    seen = []
    with Database.open(database_url, "order") as database:
        engine = held(lambda changed: save(database, changed))
        for number in range(2):
            with database.read() as connection:
                engine = OrderEngine(OrderSettings())
                engine.restore(store.load(connection).state)
            seen.append(batch_at(engine, after(number)))
            save(database, engine)
        with database.read() as connection:
            stored = listing.adjustments(connection, "SPX", None, 10)
            assert listing.adjustments(connection, "AAPL", None, 10) == []
    assert seen == expected
    assert [adjustment for _, adjustment in stored] == list(expected[0].adjustments)


def save(database: Database, engine: OrderEngine) -> None:
    with database.begin() as connection:
        store.save(connection, engine.changes, {})
