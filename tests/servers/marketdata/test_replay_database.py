"""A replay while its database loses the word of commits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import grpc.aio
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from forgetful_database import ForgetfulDatabase
from market_service import market_data_service, settings_of, watermarks

from skewline.servers.marketdata.sources.parquet import rows_of
from skewline.servers.runtime import host
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import market_data_service_pb2 as pb

SNAPSHOTS = 6


@pytest.mark.parametrize("every", [2, 3])
async def test_a_replay_feeds_each_snapshot_once_whatever_the_database_forgets_to_confirm(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    chains = [
        small_chain(time_ns=FRIDAY_NS + number * MINUTE_NS, spot=100.0 + number % 3, shift=number / 100)
        for number in range(SNAPSHOTS)
    ]
    pq.write_table(pa.concat_tables(rows_of(chain) for chain in chains), tmp_path / "chains.parquet")
    monkeypatch.setattr(host, "Database", ForgetfulDatabase)
    monkeypatch.setattr(ForgetfulDatabase, "every", every)
    settings = settings_of(tmp_path, nats_server.url, watermark_timeout_s=10)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        request = pb.StartReplayRequest(request_id="one", source=f"parquet:{tmp_path}")
        with suppress(grpc.aio.AioRpcError):
            await stub.StartReplay(request)  # its own commit may be among those without a word
        started = (await stub.StartReplay(request)).replay
        async with asyncio.timeout(30):
            watched = stub.WatchReplay(pb.WatchReplayRequest(replay_id=started.replay_id))
            last = [response.replay async for response in watched][-1]
        assert (last.status, last.error) == (pb.REPLAY_STATUS_COMPLETED, "")
        assert (last.fed, last.accepted, last.rejected) == (SNAPSHOTS, SNAPSHOTS, 0)
        assert not last.reasons
        assert [event.time_ns for event in answering.chains] == [chain.time_ns for chain in chains]
        assert {latency.count for latency in last.latencies} == {SNAPSHOTS}
