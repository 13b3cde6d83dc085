"""The risk service's book across a split."""

from __future__ import annotations

from decimal import Decimal

import pytest
from splits import split, symbol_change
from trading_examples import (
    BUY,
    SELL,
    batch,
    call,
    check_request,
    fill,
    intent,
    leg,
    ns,
    surface,
)

from skewline.servers.risk import store
from skewline.servers.risk.book import HeldPosition, RiskBook
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.risk.operations import RiskOperations
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.storage.database import Database
from skewline.v1 import order_pb2, risk_pb2, surface_pb2

BEFORE, AFTER = ns("2019-04-26 15:00"), ns("2019-04-29 10:00")
SPLIT = split("SPX", "2019-04-29")
SEVENTH = "SPXW  190517C00414290"
# 2900 / 7 is 414.2857: clearing rounds the strike by 0.0043.
ROUNDED = 0.0044 * 21 * 100


def before() -> surface_pb2.VolSurface:
    return surface("before", time_ns=BEFORE, spot=2900.0)


def after() -> surface_pb2.VolSurface:
    # The same instant but for the weekend, whose passing is no part of the test.
    made = surface("after", time_ns=AFTER, spot=2900.0 / 7)
    for each in made.slices:
        each.years = before().slices[0].years
    made.corporate_actions.append(SPLIT)
    return made


def traded(*, late: bool = False) -> order_pb2.OrderBatch:
    """Three calls bought on the snapshot before the split."""
    bought = fill(call(2900), BUY, 3, "41", order_id="late" if late else "order-1")
    bought.time_ns = BEFORE
    return batch(bought, snapshot_id="before", time_ns=BEFORE)


def nothing() -> order_pb2.OrderBatch:
    return batch(snapshot_id="after", time_ns=AFTER)


def held() -> RiskEngine:
    engine = RiskEngine(RiskSettings())
    engine.on_surface(before())
    engine.on_orders(traded())
    return engine


def positions(engine: RiskEngine) -> dict[str, Decimal]:
    return {each.instrument_id: each.quantity for each in engine.book.open()}


def test_positions_equity_and_greeks_go_on_across_the_split() -> None:
    engine = held()
    earlier = engine.portfolio()
    engine.on_surface(after())
    later = engine.on_orders(nothing())
    assert positions(engine) == {SEVENTH: 21}
    assert later.equity == pytest.approx(earlier.equity, abs=ROUNDED)
    assert later.unpriced_positions == 0
    assert later.state.state == risk_pb2.TRADING_STATE_ACTIVE
    # Delta in currency a point is seven times, a point of spot being a seventh.
    spots = [earlier.underlyings[0].spot, later.underlyings[0].spot]
    assert later.greeks.delta * spots[1] == pytest.approx(earlier.greeks.delta * spots[0], rel=1e-3)
    assert later.greeks.gamma * spots[1] ** 2 == pytest.approx(earlier.greeks.gamma * spots[0] ** 2, rel=1e-3)
    assert later.greeks.vega == pytest.approx(earlier.greeks.vega, rel=1e-3)


def test_the_first_check_after_the_split_sees_the_adjusted_book() -> None:
    engine = held()
    engine.on_surface(after())
    sell = intent(
        [leg(SEVENTH, SELL)], snapshot_id="after", quantity=21, limit="5.8", edge=1e6, edge_stdev=1.0
    )
    engine.check(check_request(sell, snapshot_id="after", time_ns=AFTER))
    assert positions(engine) == {SEVENTH: 21}
    assert engine.portfolio().equity == pytest.approx(held().portfolio().equity, abs=ROUNDED)


def test_a_reservation_for_the_old_contracts_ends() -> None:
    engine = held()
    approved = engine.check(check_request(intent(snapshot_id="before"), snapshot_id="before", time_ns=BEFORE))
    assert approved[0].approved, approved[0].checks
    assert engine.book.reservations
    engine.on_surface(after())
    engine.on_orders(nothing())
    assert not engine.book.reservations


def test_a_batch_that_comes_late_is_held_in_the_contracts_after_the_split() -> None:
    engine = RiskEngine(RiskSettings())
    engine.on_surface(before())
    engine.on_surface(after())
    engine.on_orders(nothing())
    portfolio = engine.on_orders(traded(late=True))
    assert positions(engine) == {SEVENTH: 21}
    assert portfolio.equity == pytest.approx(held().portfolio().equity, abs=ROUNDED)
    assert engine.valued_ns("SPX") == AFTER


def test_the_same_action_again_changes_nothing_and_what_is_bought_later_stays() -> None:
    engine = held()
    engine.on_surface(after())
    bought = fill(SEVENTH, BUY, 1, "5.8")
    bought.time_ns = AFTER
    engine.on_orders(batch(bought, snapshot_id="after", time_ns=AFTER))
    again = after()
    again.snapshot_id, again.time_ns = "again", AFTER + 10**9
    engine.on_surface(again)
    engine.on_orders(batch(snapshot_id="again", time_ns=again.time_ns))
    assert positions(engine) == {SEVENTH: 22}


def test_a_split_on_the_day_of_a_new_symbol_is_applied_once_before_the_change() -> None:
    engine = held()
    # The last one the old symbol's surfaces have seen already.
    actions = [symbol_change("SPX", "SPY", "2019-04-29"), SPLIT, split("SPX", "2019-04-26", 3)]
    for number in range(2):
        time_ns = AFTER + number * 10**9
        renamed = surface(f"after-{number}", time_ns=time_ns, spot=2900.0 / 7, underlying="SPY")
        renamed.corporate_actions.extend(actions)
        engine.on_surface(renamed)
        empty = batch(snapshot_id=f"after-{number}", time_ns=time_ns)
        empty.underlying = "SPY"
        engine.on_orders(empty)
        assert positions(engine) == {"SPYW  190517C00414290": 21}
        assert [each.underlying for each in engine.book.open()] == ["SPY"]


def test_what_one_position_becomes_may_be_held_and_become_a_third() -> None:
    book = RiskBook()
    contracts = ("SPXW  190517C01000000", "SPXW1 190517C02000000")
    for name, quantity in zip(contracts, (3, 5), strict=True):
        book.positions[name] = HeldPosition(name, "SPX", Decimal(100), Decimal(quantity), 1.0)
    changed = book.adjust(split("SPX", "2019-04-29", 1, 2))
    made = ("SPXW1 190517C02000000", "SPXW2 190517C04000000")
    assert {each.instrument_id: each.quantity for each in book.open()} == {made[0]: 3, made[1]: 5}
    assert set(changed) == {*contracts, *made}


def test_a_restart_at_the_split_changes_nothing(database_url: str) -> None:
    settings = RiskSettings()
    undisturbed = held()
    undisturbed.on_surface(after())
    sell = intent([leg(SEVENTH, SELL)], snapshot_id="after", quantity=1, limit="5.8")
    request = check_request(sell, snapshot_id="after", time_ns=AFTER)
    decisions = undisturbed.check(request)
    expected = undisturbed.on_orders(nothing())
    with Database.open(database_url, "risk") as database:

        def restored() -> RiskEngine:
            engine = RiskEngine(settings)
            with database.read() as connection:
                engine.restore(store.load(connection, settings.recent_surfaces))
            return engine

        engine = RiskEngine(settings)
        with database.begin() as connection:
            RiskOperations(engine).surface(connection, before())
            engine.on_orders(traded())
            store.save_batch(connection, engine, [call(2900)])
        engine = restored()
        with database.begin() as connection:
            RiskOperations(engine).surface(connection, after())
            assert RiskOperations(engine).check(connection, request)[0].decisions == decisions
        engine = restored()
        assert positions(engine) == {SEVENTH: 21}
        with database.begin() as connection:
            seen = engine.on_orders(nothing())
            store.save_batch(connection, engine, [])
        assert seen == expected
        assert positions(restored()) == {SEVENTH: 21}
