"""The risk service over real gRPC, a real bus and real databases."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from order_and_risk import Feeder, Heard, listening, risk, risk_stub, settings
from trading_examples import BUY, NOW, batch, call, check_request, fill, intent, leg, surface
from waiting import until

from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import common_pb2, risk_pb2, risk_service_pb2


@pytest.fixture
def chosen(nats_server: NatsServer, tmp_path: Path) -> Settings:
    return settings(tmp_path / "home", nats_server.url)


async def traded(feeder: Feeder, heard: Heard) -> None:
    await feeder.publish("surface.SPX", surface(), "snapshot-1")
    await feeder.publish("order.SPX", batch(fill(call(2900), BUY, 2, "41")), "snapshot-1")
    await until(lambda: len(heard.portfolios) == 1)


async def test_a_repeated_request_gets_the_stored_decisions_also_after_a_restart(chosen: Settings) -> None:
    request = check_request(intent(quantity=2), intent([leg("rubbish")], intent_id="intent-2"))
    answers = []
    async with listening(str(chosen.bus.url)) as (feeder, heard):
        for _ in range(2):
            async with risk(chosen) as risks, risk_stub(risks) as stub:
                if not heard.portfolios:
                    await traded(feeder, heard)
                stream: Any = stub.CheckIntents()
                for _ in range(2):
                    await stream.write(request)
                    answers.append(await stream.read())
                listed = await stub.ListDecisions(risk_service_pb2.ListDecisionsRequest())
                stream.cancel()
    assert all(answer == answers[0] for answer in answers)
    assert [decision.approved for decision in answers[0].decisions] == [True, False]
    assert len(listed.decisions) == 2


async def test_a_check_waits_for_its_surface_and_holds_up_no_other(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        risk_stub(risks) as stub,
    ):
        await traded(feeder, heard)
        stream: Any = stub.CheckIntents()
        await stream.write(check_request(intent(), request_id="early", snapshot_id="snapshot-2"))
        await stream.write(check_request(intent(intent_id="intent-2"), request_id="now"))
        first = await stream.read()
        await feeder.publish("surface.SPX", surface("snapshot-2"), "snapshot-2")
        second = await stream.read()
        assert [first.request_id, second.request_id] == ["now", "early"]
        stream.cancel()


async def test_a_surface_that_never_comes_is_unavailable_and_not_a_decision(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    chosen = settings(tmp_path / "home", nats_server.url, risk={"surface_wait_s": 0.2})
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        stream: Any = stub.CheckIntents()
        await stream.write(check_request(intent(), snapshot_id="nowhere"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream.read()
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "nowhere" in str(refused.value.details())
        listed = await stub.ListDecisions(risk_service_pb2.ListDecisionsRequest())
        assert not listed.decisions


async def test_the_portfolio_does_not_depend_on_which_consumer_is_ahead(
    chosen: Settings, tmp_path: Path
) -> None:
    async with listening(str(chosen.bus.url)) as (feeder, heard):
        for number in range(1, 13):
            name = f"snapshot-{number}"
            await feeder.publish(
                "surface.SPX", surface(name, time_ns=NOW + number, spot=2900.0 + number), name
            )
        for number in range(1, 13):
            name = f"snapshot-{number}"
            fills = [fill(call(2900), BUY, 1, "41")] if number == 1 else []
            await feeder.publish("order.SPX", batch(*fills, snapshot_id=name, time_ns=NOW + number), name)
        async with risk(chosen):
            await until(lambda: len(heard.portfolios) == 12)
    spots = [event.portfolio.underlyings[0].spot for event in heard.portfolios]
    assert spots == [2900.0 + number for number in range(1, 13)]


async def test_limits_are_set_once_and_kept(chosen: Settings) -> None:
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        limits = (await stub.GetLimits(risk_service_pb2.GetLimitsRequest())).limits
        assert limits.capital == 1_000_000
        limits.max_vega = 77.0
        request = risk_service_pb2.SetLimitsRequest(request_id="s", limits=limits, changed_by="operator")
        assert (await stub.SetLimits(request)).limits == limits
        assert (await stub.SetLimits(request)).limits == limits
        request.limits.max_vega = 78.0
        with pytest.raises(grpc.aio.AioRpcError) as other:
            await stub.SetLimits(request)
        assert other.value.code() == grpc.StatusCode.ALREADY_EXISTS
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        assert (await stub.GetLimits(risk_service_pb2.GetLimitsRequest())).limits == limits


async def test_a_halt_survives_a_restart(chosen: Settings) -> None:
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        halt = risk_service_pb2.HaltTradingRequest(request_id="h", reason="drill", changed_by="operator")
        halted = (await stub.HaltTrading(halt)).state
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        assert (await stub.GetState(risk_service_pb2.GetStateRequest())).state == halted
        assert halted.state == risk_pb2.TRADING_STATE_HALTED


async def test_value_at_risk_at_chosen_levels_and_horizon(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        risk_stub(risks) as stub,
    ):
        await traded(feeder, heard)
        request = risk_service_pb2.GetValueAtRiskRequest(confidence=[0.9, 0.975], horizon_days=5)
        found = (await stub.GetValueAtRisk(request)).value_at_risk
        assert [(row.confidence, row.horizon_days) for row in found] == [(0.9, 5.0), (0.975, 5.0)]
        assert 0 < found[0].value_at_risk < found[1].value_at_risk
        held = (await stub.GetPortfolio(risk_service_pb2.GetPortfolioRequest())).portfolio
        assert held == heard.portfolios[0].portfolio


async def test_the_stream_has_portfolios_and_the_kill_switch(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        risk_stub(risks) as stub,
    ):
        await traded(feeder, heard)
        stream: Any = stub.StreamPortfolio()
        await stream.write(risk_service_pb2.StreamPortfolioRequest(subscribe=common_pb2.Subscription()))
        current = await stream.read()
        assert current.snapshot == heard.portfolios[0].portfolio
        halt = risk_service_pb2.HaltTradingRequest(request_id="h", reason="drill", changed_by="operator")
        await stub.HaltTrading(halt)
        async with asyncio.timeout(10):
            changed = await stream.read()
        assert changed.state.reason == "drill"
        stream.cancel()


async def test_portfolios_page_newest_first(chosen: Settings) -> None:
    async with (
        listening(str(chosen.bus.url)) as (feeder, heard),
        risk(chosen) as risks,
        risk_stub(risks) as stub,
    ):
        for number in range(1, 4):
            name = f"snapshot-{number}"
            await feeder.publish("surface.SPX", surface(name, time_ns=NOW + number), name)
            await feeder.publish("order.SPX", batch(snapshot_id=name, time_ns=NOW + number), name)
        await until(lambda: len(heard.portfolios) == 3)
        request = risk_service_pb2.ListPortfoliosRequest(page_size=2)
        page = await stub.ListPortfolios(request)
        request.page_token = page.next_page_token
        rest = await stub.ListPortfolios(request)
        names = [portfolio.snapshot_id for portfolio in [*page.portfolios, *rest.portfolios]]
        assert names == ["snapshot-3", "snapshot-2", "snapshot-1"]
        assert not rest.next_page_token


NAN = float("nan")
RUBBISH = [
    ("SetLimits", risk_service_pb2.SetLimitsRequest(request_id="x", changed_by="y"), "limits"),
    (
        "SetLimits",
        risk_service_pb2.SetLimitsRequest(
            request_id="x", changed_by="y", limits=risk_pb2.RiskLimits(max_delta=-1, max_vega=NAN)
        ),
        "limits.max_",
    ),
    ("SetLimits", risk_service_pb2.SetLimitsRequest(), "request_id"),
    ("HaltTrading", risk_service_pb2.HaltTradingRequest(request_id="x", changed_by="y"), "reason"),
    ("HaltTrading", risk_service_pb2.HaltTradingRequest(request_id="x", reason="y"), "changed_by"),
    ("ResumeTrading", risk_service_pb2.ResumeTradingRequest(reason="y", changed_by="z"), "request_id"),
    ("GetValueAtRisk", risk_service_pb2.GetValueAtRiskRequest(confidence=[1.5]), "confidence[0]"),
    ("GetValueAtRisk", risk_service_pb2.GetValueAtRiskRequest(confidence=[NAN]), "confidence[0]"),
    ("GetValueAtRisk", risk_service_pb2.GetValueAtRiskRequest(horizon_days=-1), "horizon_days"),
    ("ListPortfolios", risk_service_pb2.ListPortfoliosRequest(page_token="rubbish"), "page_token"),
    ("ListDecisions", risk_service_pb2.ListDecisionsRequest(page_size=5000), "page_size"),
]


async def test_rubbish_is_refused_by_field_at_every_rpc(chosen: Settings) -> None:
    async with risk(chosen) as risks, risk_stub(risks) as stub:
        for name, request, field in RUBBISH:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await getattr(stub, name)(request)
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT, name
            assert field in str(refused.value.details()), name
        for bad in (
            check_request(request_id=""),
            check_request(intent(), intent()),
            check_request(time_ns=5),
        ):
            stream: Any = stub.CheckIntents()
            await stream.write(bad)
            with pytest.raises(grpc.aio.AioRpcError) as wrong:
                await stream.read()
            assert wrong.value.code() == grpc.StatusCode.INVALID_ARGUMENT
