"""Apple's options through all services across the split of 2014-06-09, seven for one."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from running_stack import running_stack

from skewline.servers.backtest.pipeline import Consequences, Pipeline
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime import new_york
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.instruments import parse_osi
from skewline.servers.runtime.settings import Settings
from skewline.v1 import market_data_service_pb2, order_pb2, surface_pb2

pytestmark = pytest.mark.timeout(300)

COMPLETED = market_data_service_pb2.REPLAY_STATUS_COMPLETED
GOOD = surface_pb2.FIT_STATUS_GOOD


@pytest.fixture(scope="module")
def steps(market_data: Path) -> list[Consequences]:
    """What the engines decide in one process, snapshot by snapshot."""
    source = LeanSource(market_data / "lean", Selection(("AAPL",)))
    pipeline = Pipeline(Settings())
    made = [pipeline.feed(source.load(reference)).consequences for reference in source.plan()]
    accepted = [step for step in made if step is not None]
    assert len(accepted) == len(made) == 14
    return accepted


@pytest.fixture(scope="module")
def at(steps: list[Consequences]) -> int:
    """Which snapshot is the first after the split."""
    return next(i for i, step in enumerate(steps) if new_york.date_of(step.chain.time_ns).day == 9)


def traded(fills: list[order_pb2.Fill]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for fill in fills:
        sign = 1 if fill.side == 1 else -1
        held[fill.instrument_id] = held.get(fill.instrument_id, Decimal(0)) + sign * to_decimal(fill.quantity)
    return {name: quantity for name, quantity in held.items() if quantity}


def test_positions_are_seven_times_as_many_at_the_strikes_that_the_exchange_listed(
    steps: list[Consequences], at: int
) -> None:
    held = traded([fill for step in steps[:at] for fill in step.order_batch.fills])
    adjustments = {a.from_instrument_id: a for a in steps[at].order_batch.adjustments}
    assert held
    assert {name: to_decimal(a.from_quantity) for name, a in adjustments.items()} == held
    listed = {
        (chain.expiries[index].expiry_date, chain.is_call[row], Decimal(repr(chain.strike[row])))
        for chain in [steps[at].chain]
        for row, index in enumerate(chain.expiry_index)
    }
    for adjustment in adjustments.values():
        before, after = parse_osi(adjustment.from_instrument_id), parse_osi(adjustment.to_instrument_id)
        assert to_decimal(adjustment.to_quantity) == 7 * to_decimal(adjustment.from_quantity)
        assert after.strike == (before.strike / 7).quantize(Decimal("0.01"))
        assert (after.expiry_date, after.is_call, after.strike) in listed


def test_money_and_risk_go_on(steps: list[Consequences], at: int) -> None:
    friday, monday = steps[at - 1], steps[at]
    # Nothing was traded: what changed is the weekend's move of the market, not a factor of seven.
    assert not monday.order_batch.fills
    before, after = friday.order_batch.pnl[0], monday.order_batch.pnl[0]
    assert to_decimal(after.realised) == to_decimal(before.realised)
    assert to_decimal(after.fees) == to_decimal(before.fees)
    moves = [abs(later.portfolio.equity - earlier.portfolio.equity) for earlier, later in pairwise(steps)]
    assert moves[at - 1] <= max(moves[: at - 1])
    greeks = [step.portfolio.underlyings[0].greeks for step in (friday, monday)]
    assert greeks[1].vega == pytest.approx(greeks[0].vega, rel=0.15)
    assert monday.portfolio.unpriced_positions == 0
    assert monday.portfolio.positions == friday.portfolio.positions


def test_vols_go_on(steps: list[Consequences], at: int) -> None:
    assert {step.surface.status for step in steps} == {GOOD}
    levels = [step.surface.atm_vol_30d for step in steps]
    jumps = [abs(later - earlier) for earlier, later in pairwise(levels)]
    assert jumps[at - 1] <= 0.01
    friday = {s.expiry_date: s.atm_vol for s in steps[at - 1].surface.slices}
    monday = {s.expiry_date: s.atm_vol for s in steps[at].surface.slices}
    common = sorted(friday.keys() & monday.keys())
    assert len(common) >= 8
    # The first expiry has four days left, in which a weekend tells.
    assert max(abs(friday[date] - monday[date]) for date in common[1:]) < 0.02


async def test_five_services_decide_the_same_though_some_are_killed_at_the_split(
    steps: list[Consequences], at: int, market_data: Path, tmp_path: Path
) -> None:
    async with running_stack(tmp_path, ["bus.ack_wait_s=1"]) as stack:
        state = market_data_service_pb2.Replay()
        killed: set[str] = set()
        async for state in stack.replay(f"lean:{market_data / 'lean'}", symbols=["AAPL"]):
            for victim, fed in (("order", at), ("risk", at + 1), ("signal", at + 2)):
                if state.fed >= fed and victim not in killed:
                    killed.add(victim)
                    stack.kill(victim)
        assert state.status == COMPLETED, state.error
        outcome = await stack.outcome()
        adjustments = [item async for item in stack.client.order.list_adjustments(underlying="AAPL")]
        actions = [item async for item in stack.client.market_data.list_corporate_actions()]
        instrument = await stack.client.market_data.get_instrument(adjustments[0].from_instrument_id)
    assert list(outcome.portfolios) == [step.portfolio for step in reversed(steps)]
    assert sorted(a.adjustment_id for a in adjustments) == sorted(
        a.adjustment_id for step in steps for a in step.order_batch.adjustments
    )
    assert {fill.fill_id for fill in outcome.fills} == {
        fill.fill_id for step in steps for fill in step.order_batch.fills
    }
    splits = [action.ex_date for action in actions if action.new_units]
    assert splits == ["2000-06-21", "2005-02-28", "2014-06-09"]
    assert instrument.successor_id == adjustments[0].to_instrument_id
