"""A service that is killed in the middle of a replay, again and again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from market_service import watermarks
from waiting import until

from skewline.servers.marketdata.sources.parquet import rows_of
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.ports import free_port
from skewline.v1 import market_data_service_pb2 as pb
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

COUNT = 40
KILL_AFTER = (3, 12)


@asynccontextmanager
async def process(home: Path, nats_url: str, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = (f"home={home}", f"bus.url={nats_url}", f"network.ports.marketdata={port}")
    flags = [part for setting in settings for part in ("--set", setting)]
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "skewline.servers", "marketdata", *flags, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


@pytest.mark.slow
async def test_a_killed_service_feeds_everything_once(nats_server: NatsServer, tmp_path: Path) -> None:
    chains = [
        small_chain(time_ns=FRIDAY_NS + number * MINUTE_NS, spot=100.0 + number % 3, shift=number / 100)
        for number in range(COUNT)
    ]
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    pq.write_table(pa.concat_tables(rows_of(chain) for chain in chains), recorded / "chains.parquet")
    (tmp_path / "db").mkdir()
    port = free_port()
    request = pb.StartReplayRequest(request_id="one", source=f"parquet:{recorded}")
    async with (
        watermarks(nats_server.url) as answering,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = MarketDataServiceStub(channel)
        for kill_after in KILL_AFTER:
            async with process(tmp_path, nats_server.url, port) as running:
                await stub.StartReplay(request, wait_for_ready=True, timeout=30)
                await until(lambda wanted=kill_after: len(answering.chains) >= wanted)  # type: ignore[misc]
                running.kill()
                await running.wait()
        async with process(tmp_path, nats_server.url, port), asyncio.timeout(40):
            replay = (await stub.StartReplay(request, wait_for_ready=True)).replay
            watching = stub.WatchReplay(pb.WatchReplayRequest(replay_id=replay.replay_id))
            last = [step.replay async for step in watching][-1]
    assert (last.status, last.error) == (pb.REPLAY_STATUS_COMPLETED, "")
    assert (last.fed, last.accepted, last.quotes_seen) == (COUNT, COUNT, 12 * COUNT)
    assert [event.time_ns for event in answering.chains] == [chain.time_ns for chain in chains]
    assert {latency.hop: latency.count for latency in last.latencies}["total"] == COUNT
