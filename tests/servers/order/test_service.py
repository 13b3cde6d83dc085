"""Order and risk over a real bus, real gRPC and real databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from order_and_risk import TRACE_ID, Feeder, Heard, listening, order, order_stub, risk, risk_stub, settings
from trading_examples import NOW, SELL, call, chain, leg, put, signal, signal_set, submit, surface
from waiting import until

from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import common_pb2, order_pb2, order_service_pb2, risk_pb2, risk_service_pb2, signal_pb2

GTC = order_pb2.TIME_IN_FORCE_GTC
MINUTE = 60 * 10**9
WIDE = {"max_delta": 1e9, "max_gamma": 1e9, "max_vega": 1e9, "max_theta": 1e9, "max_value_at_risk": 1e9}


@pytest.fixture
def chosen(nats_server: NatsServer, tmp_path: Path) -> Settings:
    return settings(tmp_path / "home", nats_server.url, risk={"limits": WIDE})


async def feed(feeder: Feeder, number: int, *signals: signal_pb2.Signal, vol: float = 0.15) -> None:
    name, time_ns = f"snapshot-{number}", NOW + (number - 1) * MINUTE
    await feeder.publish("market.chain.SPX", chain(name, time_ns=time_ns), name, time_ns)
    await feeder.publish("surface.SPX", surface(name, time_ns=time_ns, vol=vol), name, time_ns)
    signals_of = signal_set(*signals, snapshot_id=name, time_ns=time_ns)
    await feeder.publish("signal.SPX", signals_of, name, time_ns)


def order_of(heard: Heard, index: int = 0) -> order_pb2.Order:
    return heard.batches[index].order_batch.orders[0]


async def test_a_signal_is_checked_traded_and_valued(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
    ):
        await feed(feeder, 1, signal())
        await until(lambda: heard.watermarks() == ["snapshot-1"])
        batch = heard.batches[0].order_batch
        portfolio = heard.portfolios[0].portfolio
        assert batch.orders[0].status == order_pb2.ORDER_STATUS_FILLED
        assert batch.fills[0].trace_id == TRACE_ID
        assert portfolio.positions == 1
        assert portfolio.greeks.delta > 0
        async with order_stub(orders) as stub:
            found = await stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=batch.orders[0].order_id))
            assert found.order == batch.orders[0]
            assert list(found.events) == list(batch.events)
            positions = await stub.ListPositions(order_service_pb2.ListPositionsRequest())
            assert positions.positions[0].quantity == batch.fills[0].quantity
            pnl = await stub.GetPnl(order_service_pb2.GetPnlRequest())
            assert list(pnl.pnl) == list(batch.pnl)
        async with risk_stub(risks) as checks:
            made = await checks.ListDecisions(risk_service_pb2.ListDecisionsRequest(signal_id="signal-1"))
            assert made.decisions[0].approved


async def test_every_signal_set_gives_one_batch_and_one_watermark_also_an_empty_one(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address),
    ):
        for number in (1, 2, 3):
            await feed(feeder, number)
        await until(lambda: len(heard.portfolios) == 3)
    assert heard.watermarks() == ["snapshot-1", "snapshot-2", "snapshot-3"]
    assert [event.snapshot_id for event in heard.batches] == heard.watermarks()


async def test_a_redelivered_signal_set_changes_nothing(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
    ):
        await feed(feeder, 1, signal())
        await until(lambda: len(heard.portfolios) == 1)
        again = signal_set(signal())
        event = heard.batches[0]
        repeated = type(event)(
            event_id=event.cause_id, time_ns=NOW, snapshot_id="snapshot-1", underlying="SPX"
        )
        repeated.signal_set.CopyFrom(again)
        await feeder.send("signal.SPX", repeated, message_id="another id for the bus")
        await feed(feeder, 2)
        await until(lambda: len(heard.portfolios) == 2)
        async with order_stub(orders) as stub:
            listed = await stub.ListFills(order_service_pb2.ListFillsRequest())
    assert heard.watermarks() == ["snapshot-1", "snapshot-2"]
    assert len(listed.fills) == 1


async def test_without_risk_nothing_is_traded_and_with_it_back_everything(chosen: Settings) -> None:
    async with listening(str(chosen.bus.url)) as (feeder, heard):
        async with risk(chosen) as risks:
            port = risks.server.port
        async with order(chosen, f"127.0.0.1:{port}"):
            await feed(feeder, 1, signal())
            with pytest.raises(TimeoutError):
                await until(lambda: bool(heard.batches), deadline_s=0.5)
            async with risk(chosen, port):
                await until(lambda: heard.watermarks() == ["snapshot-1"])
    assert len(heard.batches) == 1
    assert order_of(heard).status == order_pb2.ORDER_STATUS_FILLED


async def test_both_services_go_on_after_a_restart_as_if_nothing_had_been(chosen: Settings) -> None:
    async with listening(str(chosen.bus.url)) as (feeder, heard):
        for number in (1, 2, 3):
            async with risk(chosen) as risks, order(chosen, risks.server.address) as orders:
                name = f"signal-{number}"
                await feed(
                    feeder,
                    number,
                    signal(
                        signal_id=name, snapshot_id=f"snapshot-{number}", time_ns=NOW + (number - 1) * MINUTE
                    ),
                )
                await until(lambda count=number: len(heard.portfolios) == count)  # type: ignore[misc]
                async with order_stub(orders) as stub:
                    held = await stub.ListPositions(order_service_pb2.ListPositionsRequest())
    bought = sum(to_decimal(event.order_batch.fills[0].quantity) for event in heard.batches)
    assert to_decimal(held.positions[0].quantity) == bought
    assert heard.watermarks() == ["snapshot-1", "snapshot-2", "snapshot-3"]
    assert heard.portfolios[-1].portfolio.positions == 1


async def test_manual_orders_are_idempotent_and_pass_the_same_checks(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1)
        await until(lambda: len(heard.portfolios) == 1)
        first = await stub.SubmitOrder(submit(quantity="2"))
        again = await stub.SubmitOrder(submit(quantity="2"))
        assert first == again
        assert first.order.status == order_pb2.ORDER_STATUS_FILLED
        with pytest.raises(grpc.aio.AioRpcError) as other:
            await stub.SubmitOrder(submit(quantity="3"))
        assert other.value.code() == grpc.StatusCode.ALREADY_EXISTS
        denied = await stub.SubmitOrder(submit(request_id="large", quantity="500"))
        assert denied.order.status == order_pb2.ORDER_STATUS_DENIED
        assert "MAX_ORDER_QUANTITY" in denied.order.reason
        await until(lambda: len(heard.portfolios) == 3)
    assert [event.snapshot_id for event in heard.batches] == ["snapshot-1", "", ""]


async def test_a_working_order_can_be_replaced_and_cancelled(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1)
        await until(lambda: len(heard.portfolios) == 1)
        working = (await stub.SubmitOrder(submit(limit="39", time_in_force=GTC))).order
        replace = order_service_pb2.ReplaceOrderRequest(
            request_id="r", order_id=working.order_id, quantity=common_pb2.Decimal(units=3)
        )
        replaced = (await stub.ReplaceOrder(replace)).order
        assert to_decimal(replaced.quantity) == 3
        assert (await stub.ReplaceOrder(replace)).order == replaced
        replace.request_id, replace.quantity.units = "r2", 5000
        with pytest.raises(grpc.aio.AioRpcError, match="MAX_ORDER_QUANTITY"):
            await stub.ReplaceOrder(replace)
        cancel = order_service_pb2.CancelOrderRequest(request_id="c", order_id=working.order_id)
        cancelled = (await stub.CancelOrder(cancel)).order
        assert cancelled.status == order_pb2.ORDER_STATUS_CANCELLED
        assert (await stub.CancelOrder(cancel)).order == cancelled
        await until(lambda: len(heard.portfolios) == 4)
        async with risk_stub(risks) as checks:
            held = await checks.GetPortfolio(risk_service_pb2.GetPortfolioRequest())
            assert held.portfolio.positions == 0


async def test_the_kill_switch_cancels_working_orders_and_refuses_new_ones(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
        risk_stub(risks) as checks,
    ):
        await feed(feeder, 1)
        await until(lambda: len(heard.portfolios) == 1)
        working = (await stub.SubmitOrder(submit(limit="39", time_in_force=GTC))).order
        halt = risk_service_pb2.HaltTradingRequest(request_id="h", reason="drill", changed_by="operator")
        halted = await checks.HaltTrading(halt)
        assert await checks.HaltTrading(halt) == halted
        await until(lambda: len(heard.batches) == 3)
        found = await stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=working.order_id))
        assert found.order.status == order_pb2.ORDER_STATUS_CANCELLED
        assert "drill" in found.order.reason
        denied = (await stub.SubmitOrder(submit(request_id="request-2"))).order
        assert "TRADING_STATE" in denied.reason
        resume = risk_service_pb2.ResumeTradingRequest(request_id="r", reason="over", changed_by="operator")
        assert (await checks.ResumeTrading(resume)).state.state == risk_pb2.TRADING_STATE_ACTIVE
        passed = (await stub.SubmitOrder(submit(request_id="request-3"))).order
        assert passed.status == order_pb2.ORDER_STATUS_FILLED
    assert [event.risk_state.state for event in heard.states] == [2, 1]


async def test_a_drawdown_halts_and_its_watermark_comes_after_the_cancellations(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    limits = {**WIDE, "max_drawdown": 1_000.0}
    chosen = settings(tmp_path / "home", nats_server.url, risk={"limits": limits})
    async with (
        listening(nats_server.url) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1, signal())
        await until(lambda: len(heard.portfolios) == 1)
        working = (await stub.SubmitOrder(submit(limit="39", time_in_force=GTC))).order
        await until(lambda: len(heard.portfolios) == 2)
        await feed(feeder, 2, vol=0.05)
        await until(lambda: "snapshot-2" in heard.watermarks())
        found = await stub.GetOrder(order_service_pb2.GetOrderRequest(order_id=working.order_id))
    assert found.order.status == order_pb2.ORDER_STATUS_CANCELLED
    assert heard.watermarks() == ["snapshot-1", "", "snapshot-2"]
    assert [event.snapshot_id for event in heard.batches] == ["snapshot-1", "", "snapshot-2", "snapshot-2"]
    assert heard.portfolios[-1].portfolio.state.state == risk_pb2.TRADING_STATE_HALTED


async def test_the_trace_of_a_fill_reaches_from_the_signal_over_risk_to_the_broker(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1, signal())
        await until(lambda: len(heard.portfolios) == 1)
        for running in (orders, risks):
            running.runtime.telemetry.flush()
        fill_id = heard.batches[0].order_batch.fills[0].fill_id
        traced = await stub.GetTrace(order_service_pb2.GetTraceRequest(fill_id=fill_id))
    parents = {span.span_id: span for span in traced.spans}
    fill = next(span for span in traced.spans if span.name == "order.fill")
    submitted = parents[fill.parent_span_id]
    check = next(span for span in traced.spans if span.name == "risk.check")
    assert traced.trace_id == TRACE_ID
    assert submitted.name == "broker.submit"
    assert submitted.attributes["skewline.venue"] == "simulated"
    assert parents[submitted.parent_span_id].name == "order.signal_set"
    assert parents[check.parent_span_id].name == "order.check"
    assert (fill.service, check.service) == ("order", "risk")


async def test_commands_on_the_stream_are_answered_and_batches_follow(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1)
        await until(lambda: len(heard.portfolios) == 1)
        stream: Any = stub.StreamOrders()
        await stream.write(order_service_pb2.StreamOrdersRequest(subscribe=common_pb2.Subscription()))
        assert (await stream.read()).batch.snapshot_id == "snapshot-1"
        await stream.write(order_service_pb2.StreamOrdersRequest(submit=submit()))
        bad = submit([leg("rubbish")], request_id="bad")
        await stream.write(order_service_pb2.StreamOrdersRequest(submit=bad))
        answers = {item.WhichOneof("item"): item for item in [await stream.read() for _ in range(3)]}
        assert sorted(answers) == ["accepted", "batch", "refusal"]
        refusal = answers["refusal"].refusal
        assert refusal.request_id == "bad"
        assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert "legs[0].instrument_id" in refusal.message
        stream.cancel()


async def test_lists_page_through_everything_once(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        order(chosen, risks.server.address) as orders,
        order_stub(orders) as stub,
    ):
        await feed(feeder, 1)
        await until(lambda: len(heard.portfolios) == 1)
        for number in range(5):
            legs = [leg(call(2900)), leg(put(2900), SELL)]
            await stub.SubmitOrder(submit(legs, request_id=f"request-{number}", limit="3"))
        seen: list[str] = []
        request = order_service_pb2.ListFillsRequest(page_size=3)
        while True:
            page = await stub.ListFills(request)
            seen.extend(fill.fill_id for fill in page.fills)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        assert len(seen) == len(set(seen)) == 10
        points = await stub.ListPnl(order_service_pb2.ListPnlRequest())
        assert len(points.pnl) == 5
        listed = await stub.ListOrders(
            order_service_pb2.ListOrdersRequest(statuses=[order_pb2.ORDER_STATUS_FILLED], page_size=2)
        )
        assert len(listed.orders) == 2
        assert listed.next_page_token


RUBBISH = [
    ("SubmitOrder", order_service_pb2.SubmitOrderRequest(), "request_id"),
    ("CancelOrder", order_service_pb2.CancelOrderRequest(request_id="x"), "order_id"),
    ("ReplaceOrder", order_service_pb2.ReplaceOrderRequest(request_id="x", order_id="y"), "limit_price"),
    ("GetOrder", order_service_pb2.GetOrderRequest(), "order_id"),
    ("ListOrders", order_service_pb2.ListOrdersRequest(page_size=5000), "page_size"),
    ("ListOrders", order_service_pb2.ListOrdersRequest(statuses=[99]), "statuses[0]"),  # type: ignore[list-item]
    ("ListFills", order_service_pb2.ListFillsRequest(page_token="rubbish"), "page_token"),
    ("ListPositions", order_service_pb2.ListPositionsRequest(page_token="AAAA"), "page_token"),
    ("ListPnl", order_service_pb2.ListPnlRequest(from_ns=5, to_ns=3), "to_ns"),
    ("GetTrace", order_service_pb2.GetTraceRequest(trace_id="xyz"), "trace_id"),
]


async def test_rubbish_is_refused_by_field_at_every_rpc(chosen: Settings) -> None:
    async with order(chosen, "127.0.0.1:1") as orders, order_stub(orders) as stub:
        for name, request, field in RUBBISH:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await getattr(stub, name)(request)
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, name
            assert field in str(refused.value.details()), name
        with pytest.raises(grpc.aio.AioRpcError) as absent:
            await stub.GetOrder(order_service_pb2.GetOrderRequest(order_id="nobody"))
        assert absent.value.code() == grpc.StatusCode.NOT_FOUND
