"""What risk approves for a command that nobody waits for any more is given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from order_and_risk import Feeder, Heard, listening, order, order_stub, risk, settings
from trading_examples import chain, signal_set, submit, surface
from waiting import until

from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import common_pb2, order_pb2, order_service_pb2

GTC = order_pb2.TIME_IN_FORCE_GTC
# Three contracts: the second order passes only if the first holds nothing any more.
LIMITS = {
    "max_position": 3.0,
    **dict.fromkeys(("max_delta", "max_gamma", "max_vega", "max_theta", "max_value_at_risk"), 1e9),
}


def impatient(nats: NatsServer, home: Path, withdraw_after_s: float) -> Settings:
    patience = {"command_deadline_s": 0.3, "withdraw_after_s": withdraw_after_s}
    return settings(home, nats.url, risk={"limits": LIMITS}, order=patience)


async def feed(feeder: Feeder) -> None:
    name = "snapshot-1"
    await feeder.publish("market.chain.SPX", chain(name), name)
    await feeder.publish("surface.SPX", surface(name), name)
    await feeder.publish("signal.SPX", signal_set(snapshot_id=name), name)


async def give_up(call: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


def last(heard: Heard) -> order_pb2.Order:
    return heard.batches[-1].order_batch.orders[0]


async def test_an_order_approved_too_late_is_denied_and_holds_no_exposure(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    chosen = impatient(nats_server, tmp_path / "home", 0.0)
    async with listening(nats_server.url) as (feeder, heard):
        async with risk(chosen) as risks:
            port = risks.server.port
            await feed(feeder)
        async with order(chosen, f"127.0.0.1:{port}") as orders, order_stub(orders) as stub:
            await until(lambda: len(heard.batches) == 1)
            await give_up(stub.SubmitOrder(submit(quantity="3")))
            async with risk(chosen, port):
                await until(lambda: len(heard.portfolios) == 2)
                assert last(heard).status == order_pb2.ORDER_STATUS_DENIED
                assert last(heard).reason.startswith("CALLER_GAVE_UP")
                again = await stub.SubmitOrder(submit(quantity="3"))
                assert again.order == last(heard)
                other = await stub.SubmitOrder(submit(quantity="3", request_id="request-2"))
                assert other.order.status == order_pb2.ORDER_STATUS_FILLED


async def test_a_command_that_comes_again_in_time_is_carried_out(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    chosen = impatient(nats_server, tmp_path / "home", 60.0)
    async with listening(nats_server.url) as (feeder, heard):
        async with risk(chosen) as risks:
            port = risks.server.port
            await feed(feeder)
        async with order(chosen, f"127.0.0.1:{port}") as orders, order_stub(orders) as stub:
            await until(lambda: len(heard.batches) == 1)
            await give_up(stub.SubmitOrder(submit(quantity="3")))
            async with risk(chosen, port):
                await until(lambda: len(heard.portfolios) == 1)
                again = await until_decided(stub, submit(quantity="3"))
                assert again.status == order_pb2.ORDER_STATUS_FILLED


async def until_decided(stub: Any, request: order_service_pb2.SubmitOrderRequest) -> order_pb2.Order:
    for _ in range(20):
        try:
            response: order_service_pb2.SubmitOrderResponse = await stub.SubmitOrder(request)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        else:
            return response.order
    raise AssertionError("never decided")


async def test_what_a_stopped_process_left_over_is_given_back_by_the_next(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    patient = impatient(nats_server, tmp_path / "home", 60.0)
    async with listening(nats_server.url) as (feeder, heard):
        async with risk(patient) as risks:
            port = risks.server.port
            await feed(feeder)
        async with order(patient, f"127.0.0.1:{port}") as orders, order_stub(orders) as stub:
            await until(lambda: len(heard.batches) == 1)
            await give_up(stub.SubmitOrder(submit(quantity="3")))
        chosen = impatient(nats_server, tmp_path / "home", 0.0)
        async with risk(chosen, port), order(chosen, f"127.0.0.1:{port}"):
            await until(lambda: len(heard.portfolios) == 2)
    assert last(heard).reason.startswith("CALLER_GAVE_UP")


async def test_a_replacement_approved_too_late_leaves_the_exposure_of_the_order_as_it_works(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    chosen = impatient(nats_server, tmp_path / "home", 0.0)
    async with listening(nats_server.url) as (feeder, heard):
        async with risk(chosen) as risks, order(chosen, risks.server.address) as orders:
            port = risks.server.port
            await feed(feeder)
            await until(lambda: len(heard.portfolios) == 1)
            async with order_stub(orders) as stub:
                working = await until_decided(stub, submit(limit="39", time_in_force=GTC))
            await until(lambda: len(heard.portfolios) == 2)
        larger = order_service_pb2.ReplaceOrderRequest(
            request_id="replace", order_id=working.order_id, quantity=common_pb2.Decimal(units=3)
        )
        async with order(chosen, f"127.0.0.1:{port}") as orders, order_stub(orders) as stub:
            await give_up(stub.ReplaceOrder(larger))
            async with risk(chosen, port):
                await until(lambda: len(heard.portfolios) == 3)
                assert to_decimal(last(heard).quantity) == 1
                other = await until_decided(stub, submit(quantity="2", request_id="request-2"))
                assert other.status == order_pb2.ORDER_STATUS_FILLED
