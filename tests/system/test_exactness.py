"""The same input gives the same decisions: in five processes, in one, undisturbed or not."""

from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.client import Client
from running_stack import FEW_DAYS, Outcome, RunningStack, running_stack
from waiting import until_so

from skewline.servers.backtest.pipeline import Pipeline
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime.settings import SERVICES, Settings
from skewline.servers.runtime.streams import STREAMS
from skewline.v1 import chain_pb2, market_data_service_pb2, order_pb2, signal_pb2

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

COMPLETED = market_data_service_pb2.REPLAY_STATUS_COMPLETED


@pytest.fixture(scope="module")
def spx(market_data: Path) -> str:
    """The source of daily SPX chains."""
    return f"cboe:{market_data / 'spx-2019'}"


async def replay_and_tell(stack: RunningStack, spx: str) -> Outcome:
    last = await stack.replayed(spx, **FEW_DAYS)
    assert last.status == COMPLETED, last.error
    return await stack.outcome()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(spx: str, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What a run decides that nothing disturbs."""
    async with running_stack(tmp_path_factory.mktemp("undisturbed")) as stack:
        outcome = await replay_and_tell(stack, spx)
    assert outcome.signals
    assert outcome.fills
    return outcome


async def test_a_second_run_decides_the_same_and_the_same_data_again_nothing(
    undisturbed: Outcome, spx: str, tmp_path: Path
) -> None:
    async with running_stack(tmp_path) as stack:
        assert await replay_and_tell(stack, spx) == undisturbed
        again = await stack.replayed(spx, **FEW_DAYS)
        assert (again.status, again.fed) == (COMPLETED, again.total)
        assert {reason.reason: reason.count for reason in again.reasons}["ALREADY_STORED"] == again.total
        assert await stack.outcome() == undisturbed


async def test_engines_in_one_process_decide_the_same(undisturbed: Outcome, market_data: Path) -> None:
    source = CboeSource(market_data / "spx-2019", Selection(first=date(2019, 5, 20), last=date(2019, 5, 29)))
    pipeline = Pipeline(Settings())
    steps = [pipeline.feed(source.load(reference)) for reference in source.plan()]
    rejected = [step.summary for step in steps if step.consequences is None]
    assert [summary.status for summary in rejected] == [chain_pb2.CHAIN_STATUS_REJECTED]
    traded = [step.consequences for step in steps if step.consequences is not None]
    signals = [signal for each in traded for signal in each.signal_set.signals]
    orders = {order.order_id: order for each in traded for order in each.order_batch.orders}
    events = [event for each in traded for event in each.order_batch.events]
    fills = [fill for each in traded for fill in each.order_batch.fills]
    portfolios = [each.portfolio for each in traded]
    assert by_id(signals) == by_id(undisturbed.signals)
    assert orders == {order.order_id: order for order in undisturbed.orders}
    assert sorted(events, key=event_key) == sorted(undisturbed.events, key=event_key)
    assert {fill.fill_id: fill for fill in fills} == {fill.fill_id: fill for fill in undisturbed.fills}
    assert portfolios == list(reversed(undisturbed.portfolios))


async def test_two_calibration_processes_decide_the_same(
    undisturbed: Outcome, spx: str, tmp_path: Path
) -> None:
    async with running_stack(tmp_path, ["calibration.processes=2"]) as stack:
        assert stack.pid("calibration-2")
        assert await replay_and_tell(stack, spx) == undisturbed


@pytest.mark.parametrize("victim", SERVICES)
async def test_a_service_killed_in_mid_replay_changes_nothing(
    undisturbed: Outcome, spx: str, tmp_path: Path, victim: str
) -> None:
    async with running_stack(tmp_path, ["bus.ack_wait_s=1"]) as stack:
        killed = False
        state = market_data_service_pb2.Replay()
        async for state in stack.replay(spx, **FEW_DAYS):
            if state.fed >= 3 and not killed:
                killed = True
                stack.kill(victim)
        assert state.status == COMPLETED, state.error
        assert stack.supervisor.state.processes[victim].restarts == 1
        assert await stack.outcome() == undisturbed


async def test_every_event_delivered_twice_is_as_if_once(
    undisturbed: Outcome, spx: str, tmp_path: Path
) -> None:
    async with running_stack(tmp_path) as stack:
        assert await replay_and_tell(stack, spx) == undisturbed
        client = Client()
        await client.connect(stack.supervisor.nats_url)
        jetstream = client.jetstream()
        repeated = 0
        for stream in STREAMS:
            count = (await jetstream.stream_info(stream.name)).state.last_seq
            for sequence in range(1, count + 1):
                message = await jetstream.get_msg(stream.name, sequence)
                headers = dict(message.headers or {}) | {"Nats-Msg-Id": f"again-{stream.name}-{sequence}"}
                await jetstream.publish(message.subject or "", message.data or b"", headers=headers)
                repeated += 1
        assert repeated > 5 * 6

        async def nothing_waits() -> bool:
            consumers = [
                consumer for stream in STREAMS for consumer in await jetstream.consumers_info(stream.name)
            ]
            return not any(consumer.num_pending or consumer.num_ack_pending for consumer in consumers)

        await until_so(nothing_waits)
        await client.close()
        assert await stack.outcome() == undisturbed


def by_id(signals: tuple[signal_pb2.Signal, ...] | list[signal_pb2.Signal]) -> dict[str, signal_pb2.Signal]:
    return {signal.signal_id: signal for signal in signals}


def event_key(event: order_pb2.OrderEvent) -> tuple[str, int]:
    return event.order_id, event.sequence
