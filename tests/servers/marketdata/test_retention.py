"""Retention over gRPC, on real NATS and both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain
from market_service import market_data_service, settings_of

from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

ACCEPTED, REJECTED = chain_pb2.CHAIN_STATUS_ACCEPTED, chain_pb2.CHAIN_STATUS_REJECTED


def times(found: pb.ListChainsResponse) -> list[tuple[str, int]]:
    return [(summary.underlying, summary.time_ns) for summary in found.chains]


async def requests(*chains: chain_pb2.OptionChain) -> AsyncIterator[pb.PublishChainsRequest]:
    for number, chain in enumerate(chains):
        yield pb.PublishChainsRequest(request_id=f"r{number}", chain=chain)


@pytest.fixture
def settings(nats_server: NatsServer, tmp_path: Path, database_url: str) -> Settings:
    kept = settings_of(tmp_path, nats_server.url, keep_accepted_days=2.0, keep_rejected_days=0.5)
    if database_url.startswith("sqlite"):
        return kept
    return kept.model_copy(update={"database": kept.database.model_copy(update={"url": database_url})})


async def test_what_is_too_old_goes_and_is_told(settings: Settings) -> None:
    fridays = [small_chain(time_ns=FRIDAY_NS + n * MINUTE_NS, spot=100.0 + n) for n in range(3)]
    saturday = small_chain(time_ns=FRIDAY_NS + DAY_NS)
    tuesday = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, spot=104.0)
    other = small_chain(underlying="ABC")
    async with market_data_service(settings) as stub:
        chains = (*fridays, saturday, tuesday, other)
        answers = [answer.summary async for answer in stub.PublishChains(requests(*chains))]
        assert [answer.status for answer in answers] == [ACCEPTED] * 3 + [REJECTED] + [ACCEPTED] * 2
        told = await stub.ApplyRetention(pb.ApplyRetentionRequest(dry_run=True))
        assert len((await stub.ListChains(pb.ListChainsRequest())).chains) == 6
        done = await stub.ApplyRetention(pb.ApplyRetentionRequest())
        assert done == told
        accepted, rejected = done.expired
        assert (accepted.status, accepted.keep_days, accepted.snapshots) == (ACCEPTED, 2.0, 3)
        assert (accepted.oldest_ns, accepted.newest_ns) == (FRIDAY_NS, fridays[2].time_ns)
        assert (rejected.status, rejected.keep_days, rejected.snapshots) == (REJECTED, 0.5, 1)
        left = await stub.ListChains(pb.ListChainsRequest())
        assert times(left) == [("XYZ", tuesday.time_ns), ("ABC", other.time_ns)]
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.GetChain(pb.GetChainRequest(snapshot_id=answers[0].snapshot_id))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        again = await stub.ApplyRetention(pb.ApplyRetentionRequest())
        assert [each.snapshots for each in again.expired] == [0, 0]


async def test_the_newest_accepted_snapshot_stays_however_old(settings: Settings) -> None:
    first, holiday = small_chain(), small_chain(time_ns=FRIDAY_NS + 8 * DAY_NS)
    async with market_data_service(settings) as stub:
        answers = [answer.summary.status async for answer in stub.PublishChains(requests(first, holiday))]
        assert answers == [ACCEPTED, REJECTED]
        await stub.ApplyRetention(pb.ApplyRetentionRequest())
        left = await stub.ListChains(pb.ListChainsRequest())
        assert times(left) == [("XYZ", holiday.time_ns), ("XYZ", FRIDAY_NS)]


async def test_a_rejected_snapshot_of_any_time_makes_no_accepted_one_old(settings: Settings) -> None:
    kept = [small_chain(time_ns=FRIDAY_NS + n * MINUTE_NS, spot=100.0 + n) for n in range(2)]
    empty = small_chain(time_ns=FRIDAY_NS + 50_000 * DAY_NS)
    empty.bid[:] = empty.ask[:] = [0.0] * len(empty.bid)
    async with market_data_service(settings) as stub:
        answers = [answer.summary.status async for answer in stub.PublishChains(requests(*kept, empty))]
        assert answers == [ACCEPTED, ACCEPTED, REJECTED]
        done = await stub.ApplyRetention(pb.ApplyRetentionRequest())
        assert [each.snapshots for each in done.expired] == [0, 0]
        assert len((await stub.ListChains(pb.ListChainsRequest())).chains) == 3


async def test_without_an_age_everything_is_kept(nats_server: NatsServer, tmp_path: Path) -> None:
    async with market_data_service(settings_of(tmp_path, nats_server.url)) as stub:
        chains = (small_chain(), small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, spot=101.0))
        assert len([answer async for answer in stub.PublishChains(requests(*chains))]) == 2
        assert await stub.ApplyRetention(pb.ApplyRetentionRequest()) == pb.ApplyRetentionResponse()
        assert len((await stub.ListChains(pb.ListChainsRequest())).chains) == 2
