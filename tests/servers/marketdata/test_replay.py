"""Replays: one snapshot at a time, each waited for, none fed twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from market_service import market_data_service, settings_of, watermarks
from waiting import until

from skewline.servers.marketdata.latency import latencies
from skewline.servers.marketdata.sources.parquet import rows_of
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

COMPLETED, STOPPED, FAILED = (
    pb.REPLAY_STATUS_COMPLETED,
    pb.REPLAY_STATUS_STOPPED,
    pb.REPLAY_STATUS_FAILED,
)


def minutes(count: int) -> list[chain_pb2.OptionChain]:
    return [
        small_chain(time_ns=FRIDAY_NS + number * MINUTE_NS, spot=100.0 + number % 3, shift=number / 100)
        for number in range(count)
    ]


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    return write(tmp_path / "recorded", minutes(4))


def write(folder: Path, chains: Sequence[chain_pb2.OptionChain]) -> str:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.concat_tables(rows_of(chain) for chain in chains), folder / "chains.parquet")
    return f"parquet:{folder}"


async def states(stub: MarketDataServiceAsyncStub, replay_id: str) -> list[pb.Replay]:
    async with asyncio.timeout(30):
        return [r.replay async for r in stub.WatchReplay(pb.WatchReplayRequest(replay_id=replay_id))]


async def test_every_snapshot_is_fed_in_order_and_waited_for(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        request = pb.StartReplayRequest(request_id="one", source=recorded)
        started = (await stub.StartReplay(request)).replay
        assert started.total == 4
        last = (await states(stub, started.replay_id))[-1]
        assert (last.status, last.error) == (COMPLETED, "")
        assert (last.fed, last.accepted, last.rejected, last.quotes_seen) == (4, 4, 0, 48)
        assert last.data_time_ns == FRIDAY_NS + 3 * MINUTE_NS
        assert [event.time_ns for event in answering.chains] == [
            FRIDAY_NS + number * MINUTE_NS for number in range(4)
        ]
        assert len({parent.split("-")[1] for parent in answering.traceparents}) == 4
        hops = {latency.hop: latency for latency in last.latencies}
        assert list(hops)[-1] == "total"
        assert {"marketdata", "calibration", "marketdata→calibration", "order→risk"} <= set(hops)
        assert hops["total"].count == 4
        assert hops["calibration"].p50_ms == pytest.approx(1.0)
        assert (await stub.StartReplay(request)).replay == last
        assert (await stub.GetReplay(pb.GetReplayRequest(replay_id=started.replay_id))).replay == last


async def test_the_next_is_not_fed_before_the_last_is_complete(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        answering.answering.clear()
        started = await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=recorded))
        await until(lambda: len(answering.chains) == 1)
        listed = await stub.ListChains(pb.ListChainsRequest())
        assert len(listed.chains) == 1
        answering.answering.set()
        assert (await states(stub, started.replay.replay_id))[-1].fed == 4


async def test_a_restarted_service_goes_on_where_it_was(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with watermarks(nats_server.url) as answering:
        answering.answering.clear()
        async with market_data_service(settings) as stub:
            started = await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=recorded))
            await until(lambda: len(answering.chains) == 1)
        answering.answering.set()
        async with market_data_service(settings) as stub:
            last = (await states(stub, started.replay.replay_id))[-1]
        assert (last.status, last.fed, last.accepted) == (COMPLETED, 4, 4)
        assert [event.time_ns for event in answering.chains] == [
            FRIDAY_NS + number * MINUTE_NS for number in range(4)
        ]


async def test_a_rejected_snapshot_is_passed_over(nats_server: NatsServer, tmp_path: Path) -> None:
    chains = minutes(3)
    repeat = small_chain(time_ns=FRIDAY_NS + 90 * MINUTE_NS, spot=102.0, shift=0.02)
    source = write(tmp_path / "recorded", [*chains, repeat])
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        started = await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=source))
        last = (await states(stub, started.replay.replay_id))[-1]
        assert (last.status, last.fed, last.accepted, last.rejected) == (COMPLETED, 4, 3, 1)
        assert [(r.reason, r.count) for r in last.reasons] == [("DUPLICATE_SNAPSHOT", 1)]
        assert len(answering.chains) == 3


async def test_a_replay_of_what_is_stored_feeds_nothing_twice(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        for name in ("one", "two"):
            started = await stub.StartReplay(pb.StartReplayRequest(request_id=name, source=recorded))
            last = (await states(stub, started.replay.replay_id))[-1]
            assert (last.status, last.fed) == (COMPLETED, 4)
        assert [(r.reason, r.count) for r in last.reasons] == [("ALREADY_STORED", 4)]
        assert len(answering.chains) == 4


async def test_a_missing_watermark_fails_the_replay_and_names_the_snapshot(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url, watermark_timeout_s=0.3)
    async with market_data_service(settings) as stub:
        started = await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=recorded))
        last = (await states(stub, started.replay.replay_id))[-1]
        newest = await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))
        assert (last.status, last.fed) == (FAILED, 0)
        assert newest.summary.snapshot_id in last.error
        assert "marketdata.watermark_timeout_s" in last.error


async def test_it_stops_after_the_snapshot_in_hand(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        answering.answering.clear()
        started = await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=recorded))
        with pytest.raises(grpc.aio.AioRpcError) as second:
            await stub.StartReplay(pb.StartReplayRequest(request_id="two", source=recorded))
        assert second.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        await until(lambda: len(answering.chains) == 1)
        stopping = asyncio.ensure_future(
            stub.StopReplay(pb.StopReplayRequest(replay_id=started.replay.replay_id))
        )
        await asyncio.sleep(0)
        answering.answering.set()
        stopped = (await stopping).replay
        assert stopped.status == STOPPED
        assert 1 <= stopped.fed < 4


async def test_speed_paces_by_data_time(nats_server: NatsServer, tmp_path: Path, recorded: str) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub, watermarks(nats_server.url):
        request = pb.StartReplayRequest(request_id="one", source=recorded, speed=600.0)
        started = await stub.StartReplay(request)
        last = (await states(stub, started.replay.replay_id))[-1]
        assert last.status == COMPLETED
        assert last.elapsed_seconds >= 0.3


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"source": "nonsense"}, '"cboe:FOLDER"'),
        ({"source": "cboe:/no/such/folder"}, "does not exist"),
        ({"source": "cboe:"}, '"cboe:FOLDER"'),
        ({"source": ""}, "required"),
        ({"source": "parquet:RECORDED", "symbols": ["NONE"]}, "no snapshot"),
        ({"source": "parquet:RECORDED", "from_date": "24.05.2019"}, "YYYY-MM-DD"),
        ({"source": "parquet:RECORDED", "request_id": ""}, "request_id"),
    ],
)
async def test_a_replay_that_cannot_be_says_why(
    nats_server: NatsServer, tmp_path: Path, recorded: str, fields: dict[str, object], says: str
) -> None:
    asked = {"request_id": "one", **fields}
    asked["source"] = str(asked["source"]).replace("parquet:RECORDED", recorded)
    async with market_data_service(settings_of(tmp_path, nats_server.url)) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.StartReplay(pb.StartReplayRequest(**asked))  # type: ignore[arg-type]
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert says in (error.value.details() or "")


def test_latencies_are_quantiles_of_all_snapshots() -> None:
    taken = sorted(number * 1_000_000 for number in range(1, 102))
    total, only = latencies({"total": taken, "risk": [7_000_000]})[::-1]
    assert (total.p50_ms, total.p99_ms, total.max_ms, total.count) == (51.0, 100.0, 101.0, 101)
    assert (only.hop, only.p50_ms, only.p99_ms, only.max_ms, only.count) == ("risk", 7.0, 7.0, 7.0, 1)


async def test_a_replay_that_ended_is_known_after_the_next_began(
    nats_server: NatsServer, tmp_path: Path, recorded: str
) -> None:
    async with (
        market_data_service(settings_of(tmp_path, nats_server.url)) as stub,
        watermarks(nats_server.url),
    ):
        first = (await stub.StartReplay(pb.StartReplayRequest(request_id="one", source=recorded))).replay
        ended = (await states(stub, first.replay_id))[-1]
        await stub.StartReplay(pb.StartReplayRequest(request_id="two", source=recorded))
        assert (await stub.GetReplay(pb.GetReplayRequest(replay_id=first.replay_id))).replay == ended
        assert await states(stub, first.replay_id) == [ended]
        again = await stub.StopReplay(pb.StopReplayRequest(replay_id=first.replay_id))
        assert again.replay == ended
