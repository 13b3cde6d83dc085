"""The service over gRPC, on real NATS and SQLite."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fitted_services import TRACE_ID, Wire, event_of, running, settings_of, wire
from google.rpc import error_details_pb2
from grpc_status.rpc_status import from_call
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.service import build
from skewline.servers.runtime.instruments import osi_symbol
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.span_store import read_trace
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import chain_pb2, surface_pb2
from skewline.v1.calibration_service_pb2_grpc import CalibrationServiceStub

if TYPE_CHECKING:
    from skewline.v1.calibration_service_pb2_grpc import CalibrationServiceAsyncStub

SUBJECT = "market.chain.XYZ"


def chains(count: int) -> list[chain_pb2.OptionChain]:
    return [
        smile_chain(
            tuple(replace(smile, alpha=smile.alpha * (1 + 0.03 * (day % 4))) for smile in SMILES),
            Quoting(noise_seed=day),
            time_ns=THURSDAY_NS + day * DAY_NS,
            snapshot_id=f"snapshot-{day}",
        )
        for day in range(count)
    ]


@asynccontextmanager
async def service(
    home: Path, nats_server: NatsServer
) -> AsyncIterator[tuple[CalibrationServiceAsyncStub, Wire]]:
    settings = settings_of(home, nats_server.url, "calibration")
    async with (
        running("calibration", settings, build) as channel,
        wire(nats_server.url, "SURFACE", "surface.>") as connected,
    ):
        yield CalibrationServiceStub(channel), connected


async def send(connected: Wire, sent: list[chain_pb2.OptionChain], *, again: int = 0) -> None:
    for chain in sent:
        await connected.send(SUBJECT, event_of(chain, "marketdata"), again=again)


def expected(sent: list[chain_pb2.OptionChain]) -> list[surface_pb2.VolSurface]:
    engine = CalibrationEngine(CalibrationSettings())
    return [engine.on_chain(chain) for chain in sent]


async def test_each_chain_becomes_one_surface_event_stored_and_found(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    sent = chains(3)
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, sent)
        await send(connected, sent, again=1)
        events = await connected.hear(3)
        assert [event.surface for event in events] == expected(sent)
        assert [event.cause_id for event in events] == [event_of(c, "marketdata").event_id for c in sent]
        newest = (await stub.GetSurface(pb.GetSurfaceRequest(underlying="XYZ"))).surface
        assert newest == events[-1].surface
        by_snapshot = await stub.GetSurface(pb.GetSurfaceRequest(snapshot_id="snapshot-0"))
        assert by_snapshot.surface == events[0].surface
        as_of = await stub.GetSurface(pb.GetSurfaceRequest(underlying="XYZ", as_of_ns=sent[1].time_ns))
        assert as_of.surface == events[1].surface
        first = await stub.ListSurfaces(pb.ListSurfacesRequest(page_size=2))
        rest = await stub.ListSurfaces(pb.ListSurfacesRequest(page_size=2, page_token=first.next_page_token))
        listed = [*first.surfaces, *rest.surfaces]
        assert [each.snapshot_id for each in listed] == ["snapshot-2", "snapshot-1", "snapshot-0"]
        assert not any(each.slices[0].strike or each.slices[0].record.knot for each in listed)
        assert all(each.slices[0].record.atm_vol > 0.0 for each in listed)


async def test_the_history_of_parameters_is_paged_newest_first(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    sent = chains(3)
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, sent)
        await connected.hear(3)
        asked = pb.ListParametersRequest(underlying="XYZ", names=["factor.LEVEL", "sabr.rho"], page_size=2)
        first = await stub.ListParameters(asked)
        asked.page_token = first.next_page_token
        rest = await stub.ListParameters(asked)
        levels = [point.values["factor.LEVEL"] for point in (*first.points, *rest.points)]
        assert levels == [each.atm_vol_30d for each in reversed(expected(sent))]
        assert all(set(point.values) == {"factor.LEVEL", "sabr.rho"} for point in first.points)
        within = pb.ListParametersRequest(
            underlying="XYZ", from_ns=sent[1].time_ns, to_ns=sent[2].time_ns, years=0.4
        )
        (point,) = (await stub.ListParameters(within)).points
        assert point.expiry_date == "2019-09-20"
        asked.years = 0.3
        for wrong, field in (
            (asked, "page_token"),
            (pb.ListParametersRequest(), "underlying"),
            (pb.ListParametersRequest(underlying="XYZ", names=["x"]), "names[0]"),
            (pb.ListParametersRequest(underlying="XYZ", years=float("nan")), "years"),
            (pb.ListParametersRequest(underlying="XYZ", from_ns=-1), "from_ns"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.ListParameters(wrong)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert field in str(caught.value.details())


async def test_the_steps_of_a_fit_are_spans_of_the_quotes_trace(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, chains(1))
        await connected.hear(1)
    spans = {span.name: span for span in read_trace(tmp_path, TRACE_ID)}
    consumed = spans["calibration.chain"]
    names = ("forward", "implied_vol", "record", "sabr", "essvi", "svi", "heston", "checks", "ou")
    steps = [f"calibration.{step}" for step in names]
    assert [spans[step].parent_id for step in steps] == [consumed.span_id] * len(steps)
    assert spans["calibration.sabr"].attributes["skewline.good"] == 4


async def test_a_restarted_service_goes_on_as_if_undisturbed(nats_server: NatsServer, tmp_path: Path) -> None:
    sent = chains(4)
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, sent[:2])
        await connected.hear(2)
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, sent[2:])
        events = await connected.hear(2)
    heard = {event.snapshot_id: event.surface for event in events}
    undisturbed = expected(sent)
    assert [heard[f"snapshot-{day}"] for day in (2, 3)] == undisturbed[2:]


async def test_options_are_priced_and_implied_on_the_newest_surface(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, chains(1))
        await connected.hear(1)
        names = [osi_symbol("XYZ", SMILES[1].date, True, 100.0)]
        priced = await stub.PriceOptions(pb.PriceOptionsRequest(underlying="XYZ", instrument_ids=names))
        implied = await stub.ImplyVolatilities(
            pb.ImplyVolatilitiesRequest(underlying="XYZ", instrument_ids=names, price=priced.price)
        )
        assert implied.volatility[0] == pytest.approx(priced.volatility[0])
        assert priced.volatility[0] == pytest.approx(0.19, abs=0.01)


async def test_values_of_the_surface_are_given_at_any_strike_and_expiry(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    sent = chains(2)
    grid = pb.SurfaceGridRequest(years=[0.1], strike=[95.0, 100.0], density=True)
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, sent)
        await connected.hear(2)
        before = pb.GetSurfaceRequest(underlying="XYZ", as_of_ns=sent[1].time_ns - 1, grid=grid)
        found = await stub.GetSurface(before)
        assert found.surface.snapshot_id == "snapshot-0"
        assert not found.surface.slices[0].strike
        assert [len(each.volatility) for each in found.grids] == [2]
        names = [osi_symbol("XYZ", SMILES[1].date, True, 100.0)]
        by_default, by_sabr = [
            await stub.PriceOptions(
                pb.PriceOptionsRequest(underlying="XYZ", instrument_ids=names, model=model)
            )
            for model in (surface_pb2.VOL_MODEL_UNSPECIFIED, surface_pb2.VOL_MODEL_SABR)
        ]
        slices = (await stub.GetSurface(pb.GetSurfaceRequest(underlying="XYZ"))).surface.slices
        at = list(slices[1].strike).index(100.0)
        assert by_default.volatility[0] == pytest.approx(slices[1].record_iv[at])
        assert by_sabr.volatility[0] == pytest.approx(slices[1].model_iv[at])
        for field, wrong in {
            r"grid\.strike\[0\]": pb.SurfaceGridRequest(strike=[-1.0]),
            r"grid\.expiry_ns\[0\]": pb.SurfaceGridRequest(strike=[1.0], expiry_ns=[1]),
        }.items():
            with pytest.raises(grpc.aio.AioRpcError, match=field) as refused:
                await stub.GetSurface(pb.GetSurfaceRequest(underlying="XYZ", grid=wrong))
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_chains_of_a_client_are_fitted_in_order_and_leave_no_trace(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async def requests() -> AsyncIterator[pb.StreamCalibrationsRequest]:
        for number, chain in enumerate(chains(3)):
            yield pb.StreamCalibrationsRequest(request_id=f"r{number}", chain=chain)

    async with service(tmp_path, nats_server) as (stub, _):
        answers = [answer async for answer in stub.StreamCalibrations(requests())]
        assert [answer.request_id for answer in answers] == ["r0", "r1", "r2"]
        assert all(answer.surface.status == surface_pb2.FIT_STATUS_GOOD for answer in answers)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetSurface(pb.GetSurfaceRequest(underlying="XYZ"))
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND


async def test_the_event_loop_goes_on_while_a_chain_is_fitted(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, fitted = asyncio.get_running_loop(), CalibrationEngine.fit
    ticks: list[bool] = []

    def watched(engine: CalibrationEngine, chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
        ticked = threading.Event()
        loop.call_soon_threadsafe(ticked.set)
        ticks.append(ticked.wait(10.0))
        return fitted(engine, chain)

    monkeypatch.setattr(CalibrationEngine, "fit", watched)
    async with service(tmp_path, nats_server) as (_, connected):
        await send(connected, chains(1))
        await connected.hear(1)
    assert ticks == [True]


async def test_a_malformed_chain_is_refused_by_field(nats_server: NatsServer, tmp_path: Path) -> None:
    broken = smile_chain()
    del broken.bid[-1]
    broken.expiry_index[0] = 99
    broken.expiries[2].expiry_ns = broken.expiries[0].expiry_ns

    async def requests() -> AsyncIterator[pb.StreamCalibrationsRequest]:
        yield pb.StreamCalibrationsRequest(request_id="r", chain=broken)

    async with service(tmp_path, nats_server) as (stub, connected):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            [answer async for answer in stub.StreamCalibrations(requests())]
        status = from_call(refused.value)  # type: ignore[arg-type]  # it has code, details and metadata, as a call
        assert status is not None
        bad = error_details_pb2.BadRequest()
        assert status.details[0].Unpack(bad)
        assert {each.field for each in bad.field_violations} == {
            "chain.bid",
            "chain.expiry_index",
            "chain.expiries[2].expiry_ns",
        }
        # On the bus such a chain is put aside, and the next one is fitted.
        await send(connected, [broken, chains(1)[0]])
        assert [event.snapshot_id for event in await connected.hear(1)] == ["snapshot-0"]


async def test_subscribers_get_what_is_current_then_what_comes(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    sent = chains(2)
    async with service(tmp_path, nats_server) as (stub, connected):
        await send(connected, sent[:1])
        await connected.hear(1)
        call = stub.StreamSurfaces()
        request = pb.StreamSurfacesRequest()
        request.subscribe.underlyings.append("XYZ")
        await call.write(request)
        async with asyncio.timeout(30):
            first = await call.read()
            await send(connected, sent[1:])
            second = await call.read()
        assert isinstance(first, pb.StreamSurfacesResponse)
        assert isinstance(second, pb.StreamSurfacesResponse)
        assert first.snapshot.snapshot_id == "snapshot-0"
        assert second.update.snapshot_id == "snapshot-1"
        call.cancel()


async def test_bad_requests_name_the_field(nats_server: NatsServer, tmp_path: Path) -> None:
    unknown_model = pb.PriceOptionsRequest.FromString(
        pb.PriceOptionsRequest(underlying="XYZ", instrument_ids=["a"]).SerializeToString() + b"\x20\x07"
    )
    requests = {
        "instrument_ids": pb.PriceOptionsRequest(underlying="XYZ"),
        "underlying": pb.PriceOptionsRequest(instrument_ids=["a"]),
        "model": unknown_model,
    }
    async with service(tmp_path, nats_server) as (stub, _):
        for field, request in requests.items():
            with pytest.raises(grpc.aio.AioRpcError, match=field) as refused:
                await stub.PriceOptions(request)
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
