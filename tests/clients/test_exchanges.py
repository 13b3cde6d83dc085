"""Streams of questions: each gets its answer, also over a broken connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from either_client import Connect, Either
from recorded_stack import RecordedStack, chain, recorded_stack

from skewline.clients import AsyncClient, Endpoints, SkewlineError, cancel_command, submit_command
from skewline.v1 import chain_pb2, common_pb2, order_pb2

LEG = order_pb2.OrderLeg(instrument_id="SPXW  190426C02900000", side=common_pb2.SIDE_BUY, ratio=1)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RecordedStack]:
    async with recorded_stack(tmp_path) as stack:
        yield stack


@pytest.fixture
def client(connect: Connect, stack: RecordedStack) -> Either:
    return connect(Endpoints(marketdata=stack.address, order=stack.address, risk=stack.address))


async def test_each_chain_published_is_answered(client: Either, stack: RecordedStack) -> None:
    answers = [a async for a in client.items("market_data.publish_chains", [chain(), chain()])]
    assert [answer.underlying for answer in answers] == ["SPX", "SPX"]
    first, second = stack.market_data.published
    assert first.request_id
    assert first.request_id != second.request_id


async def test_commands_get_orders_or_reasons_past_heartbeats(client: Either) -> None:
    commands = [
        submit_command("SPX", [LEG], quantity=2, limit_price="1.05", request_id="one"),
        submit_command("SPX", [LEG], quantity=2000, limit_price="1.05"),
    ]
    order, refusal = [a async for a in client.items("order.stream_commands", commands)]
    assert order.order_id == "order-of-one"
    assert order.limit_price == common_pb2.Decimal(units=1, nanos=50_000_000)
    assert isinstance(refusal, SkewlineError)
    assert "quantity is above 1000" in str(refusal)


async def test_an_unanswered_command_is_sent_again_under_its_own_id(
    client: Either, stack: RecordedStack
) -> None:
    stack.orders.drop = 2
    commands = [submit_command("SPX", [LEG], quantity=1, limit_price=None)]
    (order,) = [a async for a in client.items("order.stream_commands", commands)]
    assert order.type == order_pb2.ORDER_TYPE_MARKET
    assert [request.request_id for request in stack.orders.submitted] == [commands[0].request_id]


async def test_watching_a_replay_goes_on_over_a_broken_connection(
    client: Either, stack: RecordedStack
) -> None:
    stack.market_data.breaks = 2
    seen = [replay.fed async for replay in client.items("market_data.watch_replay", "replay-1")]
    assert seen == [0, 1, 0, 1, 0, 1, 2]


async def test_a_float_is_no_price(client: Either) -> None:
    with pytest.raises(SkewlineError, match=r"limit_price: must be exact.*not float"):
        await client.ask("order.submit_order", "SPX", [LEG], quantity=1, limit_price=1.5)


async def test_bad_fields_are_named_by_the_service(client: Either) -> None:
    with pytest.raises(SkewlineError, match="order: quantity: must be above zero"):
        await client.ask("order.submit_order", "SPX", [LEG], quantity=0, limit_price=None)


def test_every_command_has_a_request_id() -> None:
    assert cancel_command("order-1").request_id
    assert cancel_command("order-1").request_id != cancel_command("order-1").request_id
    assert cancel_command("order-1", request_id="mine").request_id == "mine"


async def test_items_may_come_from_an_async_iterable_as_they_arise(stack: RecordedStack) -> None:
    arising: asyncio.Queue[chain_pb2.OptionChain | None] = asyncio.Queue()

    async def feed() -> AsyncIterator[chain_pb2.OptionChain]:
        while (item := await arising.get()) is not None:
            yield item

    async with AsyncClient(Endpoints(marketdata=stack.address)) as client:
        answers = client.market_data.publish_chains(feed())
        for underlying in ("SPX", "GOOG"):
            arising.put_nowait(chain_pb2.OptionChain(underlying=underlying))
            assert (await anext(answers)).underlying == underlying  # before the next is there
        arising.put_nowait(None)
        assert [a async for a in answers] == []
