"""The service over gRPC, on real NATS and SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fitted_services import TRACE_ID, Wire, event_of, running, settings_of, wire
from priced_surfaces import shift_quote, surface

from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.engine import SignalEngine
from skewline.servers.signal.service import build
from skewline.v1 import chain_pb2, signal_pb2, surface_pb2
from skewline.v1 import signal_service_pb2 as pb
from skewline.v1.signal_service_pb2_grpc import SignalServiceStub

if TYPE_CHECKING:
    from skewline.v1.signal_service_pb2_grpc import SignalServiceAsyncStub


def odd_quotes(chain: chain_pb2.OptionChain) -> None:
    shift_quote(chain, expiry=3, strike=104.0, is_call=True, by=0.15)
    shift_quote(chain, expiry=5, strike=94.0, is_call=False, by=-0.15)


@pytest.fixture(scope="module")
def surfaces() -> list[surface_pb2.VolSurface]:
    return [surface(day=day, spoil=odd_quotes) for day in range(4)]


@asynccontextmanager
async def service(home: Path, nats_server: NatsServer) -> AsyncIterator[tuple[SignalServiceAsyncStub, Wire]]:
    settings = settings_of(home, nats_server.url, "signal")
    async with (
        running("signal", settings, build) as channel,
        wire(nats_server.url, "SIGNAL", "signal.>") as connected,
    ):
        yield SignalServiceStub(channel), connected


async def send(connected: Wire, sent: list[surface_pb2.VolSurface], *, again: int = 0) -> None:
    for each in sent:
        await connected.send("surface.XYZ", event_of(each, "calibration"), again=again)


def expected(sent: list[surface_pb2.VolSurface]) -> list[signal_pb2.SignalSet]:
    engine = SignalEngine(SignalSettings())
    return [engine.on_surface(each, TRACE_ID) for each in sent]


async def test_each_surface_becomes_one_set_whose_signals_are_stored_once(
    nats_server: NatsServer, tmp_path: Path, surfaces: list[surface_pb2.VolSurface]
) -> None:
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, surfaces)
        await send(connected, surfaces, again=1)
        events = await connected.hear(4)
        assert [event.signal_set for event in events] == expected(surfaces)
        published = [signal for event in events for signal in event.signal_set.signals]
        listed = (await stub.ListSignals(pb.ListSignalsRequest())).signals
        assert list(listed) == published[::-1]
        first = await stub.ListSignals(pb.ListSignalsRequest(page_size=1))
        second = await stub.ListSignals(pb.ListSignalsRequest(page_size=1, page_token=first.next_page_token))
        assert [first.signals[0], second.signals[0]] == published[::-1][:2]
        sure = await stub.ListSignals(pb.ListSignalsRequest(min_confidence=0.9999))
        assert not sure.signals
        got = await stub.GetSignal(pb.GetSignalRequest(signal_id=published[0].signal_id))
        assert got.signal == published[0]
        explained = await stub.ExplainSignal(pb.ExplainSignalRequest(signal_id=published[0].signal_id))
        assert explained.signal == published[0]
        assert published[0].explanation in explained.lines[0]
        assert len(explained.lines) > len(published[0].legs) + len(published[0].evidence)


async def test_a_restarted_service_goes_on_as_if_undisturbed(
    nats_server: NatsServer, tmp_path: Path, surfaces: list[surface_pb2.VolSurface]
) -> None:
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, surfaces[:2])
        await connected.hear(2)
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, surfaces[2:])
        events = await connected.hear(2)
    heard = {event.snapshot_id: event.signal_set for event in events}
    assert [heard[f"snapshot-{day}"] for day in (2, 3)] == expected(surfaces)[2:]


async def test_a_subscriber_misses_no_set_and_resumes(
    nats_server: NatsServer, tmp_path: Path, surfaces: list[surface_pb2.VolSurface]
) -> None:
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, surfaces)
        await connected.hear(4)
        call = stub.StreamSignals()
        request = pb.StreamSignalsRequest()
        request.subscribe.resume_after = 1
        await call.write(request)
        heard: list[str] = []
        async with asyncio.timeout(30):
            while len(heard) < 3:
                answer = await call.read()
                assert isinstance(answer, pb.StreamSignalsResponse)
                if answer.WhichOneof("item") == "update":
                    heard.append(answer.update.snapshot_id)
        assert heard == ["snapshot-1", "snapshot-2", "snapshot-3"]
        call.cancel()


async def test_bad_requests_name_the_field(nats_server: NatsServer, tmp_path: Path) -> None:
    async with service(tmp_path, nats_server) as (stub, _):
        with pytest.raises(grpc.aio.AioRpcError, match="signal_id") as refused:
            await stub.GetSignal(pb.GetSignalRequest())
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.aio.AioRpcError, match="min_confidence"):
            await stub.ListSignals(pb.ListSignalsRequest(min_confidence=2.0))
        with pytest.raises(grpc.aio.AioRpcError) as missing:
            await stub.ExplainSignal(pb.ExplainSignalRequest(signal_id="none"))
        assert missing.value.code() == grpc.StatusCode.NOT_FOUND
