"""Two calibration processes on one stream of chains, one of which is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from calibration_processes import calibration_processes, process_names
from fitted_services import TRACE_ID, Wire, event_of, wire
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.span_store import read_trace
from skewline.servers.runtime.supervisor import Supervisor
from skewline.storage.calibration.tables import SURFACES
from skewline.storage.database import Database
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import chain_pb2
from skewline.v1.calibration_service_pb2_grpc import CalibrationServiceStub

if TYPE_CHECKING:
    from skewline.v1.calibration_service_pb2_grpc import CalibrationServiceAsyncStub

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

UNDERLYINGS = tuple(f"U{number}" for number in range(8))


def chains(days: int) -> list[chain_pb2.OptionChain]:
    return [
        smile_chain(
            tuple(replace(smile, alpha=smile.alpha * (1 + 0.03 * (day % 4))) for smile in SMILES),
            Quoting(noise_seed=100 * place + day),
            time_ns=THURSDAY_NS + day * DAY_NS,
            underlying=underlying,
            snapshot_id=f"{underlying}-{day}",
        )
        for day in range(days)
        for place, underlying in enumerate(UNDERLYINGS)
    ]


@asynccontextmanager
async def two_processes(home: Path) -> AsyncIterator[tuple[Supervisor, Wire]]:
    async with (
        calibration_processes(home, 2, "bus.ack_wait_s=1") as stack,
        wire(stack.nats_url, "SURFACE", "surface.>") as connected,
    ):
        yield stack, connected


async def test_a_killed_process_loses_nothing_and_nothing_is_fitted_twice(tmp_path: Path) -> None:
    sent = chains(6)
    alone = CalibrationEngine(CalibrationSettings())
    expected = {chain.snapshot_id: alone.on_chain(chain) for chain in sent}
    async with two_processes(tmp_path) as (stack, connected):
        for chain in sent:
            await connected.send(f"market.chain.{chain.underlying}", event_of(chain, "marketdata"))
        await connected.hear(len(sent) // 3)
        os.kill(stack.state.processes["calibration-2"].pid, signal.SIGKILL)
        events = await connected.hear(len(sent))
    # What each fit took from the one before it came from whichever process had made that.
    assert {event.snapshot_id: event.surface for event in events} == expected
    assert len(events) == len({event.event_id for event in events}) == len(sent)
    order = defaultdict(list)
    for event in events:
        order[event.underlying].append(event.surface.time_ns)
    assert all(times == sorted(times) for times in order.values())
    with Database.open(f"sqlite:///{tmp_path / 'db'}", "calibration") as database, database.read() as reading:
        stored = reading.execute(SURFACES.select().order_by(SURFACES.c.number)).all()
    assert sorted(row.snapshot_id for row in stored) == sorted(expected)
    assert len({span.pid for span in read_trace(tmp_path, TRACE_ID)}) >= 2


async def test_either_process_serves_what_both_fitted(tmp_path: Path) -> None:
    sent = chains(2)
    async with two_processes(tmp_path) as (stack, connected):
        for chain in sent:
            await connected.send(f"market.chain.{chain.underlying}", event_of(chain, "marketdata"))
        await connected.hear(len(sent))
        for process in process_names(2):
            async with grpc.aio.insecure_channel(stack.address(process)) as channel:
                stub: CalibrationServiceAsyncStub = CalibrationServiceStub(channel)
                call = stub.StreamSurfaces()
                await call.write(pb.StreamSurfacesRequest(subscribe=pb.StreamSurfacesRequest().subscribe))
                newest: dict[str, str] = {}
                async with asyncio.timeout(20):
                    while newest != {name: f"{name}-1" for name in UNDERLYINGS}:
                        answer = await call.read()
                        assert isinstance(answer, pb.StreamSurfacesResponse)
                        item = getattr(answer, answer.WhichOneof("item") or "snapshot")
                        newest[item.underlying] = item.snapshot_id
                call.cancel()
                listed = await stub.ListSurfaces(pb.ListSurfacesRequest())
                assert len(listed.surfaces) == len(sent)
