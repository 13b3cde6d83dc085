"""The quarantine over gRPC, on real NATS and both databases: nothing that is refused is lost."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain
from market_service import settings_of

from skewline.servers.marketdata.quarantine import MOST_BYTES
from skewline.servers.marketdata.service import build
from skewline.servers.runtime.host import Hosted, hosted
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import chain_pb2, common_pb2, quarantine_pb2
from skewline.v1 import market_data_service_pb2 as pb
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

SNAPSHOT = quarantine_pb2.QUARANTINE_KIND_SNAPSHOT
CONTRACTS = quarantine_pb2.QUARANTINE_KIND_CONTRACTS
MESSAGE = quarantine_pb2.QUARANTINE_KIND_MESSAGE
PUBLISH = "/skewline.v1.MarketDataService/PublishChains"


@pytest.fixture
def settings(nats_server: NatsServer, tmp_path: Path, database_url: str) -> Settings:
    made = settings_of(tmp_path, nats_server.url, keep_rejected_days=1.0, keep_messages=3)
    if database_url.startswith("sqlite"):
        return made
    return made.model_copy(update={"database": made.database.model_copy(update={"url": database_url})})


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Hosted]:
    async with hosted("marketdata", settings, build) as process:
        yield process


@pytest.fixture
async def channel(running: Hosted) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(running.server.address) as opened:
        yield opened


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> MarketDataServiceAsyncStub:
    return MarketDataServiceStub(channel)


async def publish(stub: MarketDataServiceAsyncStub, *chains: chain_pb2.OptionChain) -> list[int]:
    async def requests() -> AsyncIterator[pb.PublishChainsRequest]:
        for number, chain in enumerate(chains):
            yield pb.PublishChainsRequest(request_id=f"r{number}", chain=chain)

    return [answer.summary.status async for answer in stub.PublishChains(requests())]


async def send_bytes(channel: grpc.aio.Channel, raw: bytes) -> grpc.StatusCode:
    async def requests() -> AsyncIterator[bytes]:
        yield raw

    publishing: Any = channel.stream_stream(PUBLISH)
    code: grpc.StatusCode = await publishing(requests()).code()
    return code


def broken(minute: int = 0, underlying: str = "XYZ") -> chain_pb2.OptionChain:
    """A sound chain but for two crossed contracts and one that has no number for a bid."""
    time_ns = FRIDAY_NS + minute * MINUTE_NS
    chain = small_chain(time_ns=time_ns, underlying=underlying, spot=100.0 + minute / 10)
    for place in (1, 7):
        chain.bid[place], chain.ask[place] = chain.ask[place], chain.bid[place]
    chain.bid[4] = math.inf
    return chain


def shown(entries: Iterable[quarantine_pb2.QuarantineEntry]) -> list[tuple[int, str, str, int]]:
    return [(entry.kind, entry.underlying, entry.reason, entry.contracts) for entry in entries]


async def listed(stub: MarketDataServiceAsyncStub, **wanted: Any) -> list[quarantine_pb2.QuarantineEntry]:
    return list((await stub.ListQuarantine(pb.ListQuarantineRequest(**wanted))).entries)


async def test_contracts_that_were_set_aside_are_kept_as_they_were_sent(
    stub: MarketDataServiceAsyncStub,
) -> None:
    sent = broken()
    assert await publish(stub, sent) == [chain_pb2.CHAIN_STATUS_ACCEPTED]
    entries = {entry.reason: entry for entry in await listed(stub)}
    assert set(entries) == {"NON_FINITE", "CROSSED"}
    crossed = entries["CROSSED"]
    assert (crossed.kind, crossed.contracts, crossed.time_ns) == (CONTRACTS, 2, FRIDAY_NS)
    assert (crossed.source, crossed.provenance) == ("test", common_pb2.PROVENANCE_RECORDED)
    assert crossed.received_ns > FRIDAY_NS
    found = await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=crossed.entry_id))
    assert found.entry == crossed
    chain = found.chain
    assert chain.snapshot_id == crossed.snapshot_id
    assert [chain.expiries[index].expiry_date for index in chain.expiry_index] == ["2019-06-21", "2019-07-19"]
    for column in ("strike", "is_call", "bid", "ask"):
        assert list(getattr(chain, column)) == [getattr(sent, column)[place] for place in (1, 7)]
    request = pb.GetQuarantineEntryRequest(entry_id=entries["NON_FINITE"].entry_id)
    assert list((await stub.GetQuarantineEntry(request)).chain.bid) == [math.inf]


async def test_a_rejected_snapshot_is_there_whole(stub: MarketDataServiceAsyncStub) -> None:
    holiday = small_chain(time_ns=FRIDAY_NS + DAY_NS)
    assert await publish(stub, holiday) == [chain_pb2.CHAIN_STATUS_REJECTED]
    [entry] = await listed(stub)
    assert (entry.kind, entry.reason, entry.contracts) == (SNAPSHOT, "MARKET_HOLIDAY", 12)
    assert "2019-05-25 is no session" in entry.detail
    found = await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=entry.entry_id))
    assert found.chain.bid == holiday.bid


async def test_a_repeated_chain_is_held_once(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, broken(), broken())
    await publish(stub, broken())
    assert len(await listed(stub)) == 2


async def test_what_is_no_chain_is_kept_with_its_bytes(
    stub: MarketDataServiceAsyncStub, channel: grpc.aio.Channel
) -> None:
    raw = b"\xff\x00 no message \x80"
    assert await send_bytes(channel, raw) == grpc.StatusCode.INVALID_ARGUMENT
    unequal = small_chain()
    unequal.bid.append(1.0)
    with pytest.raises(grpc.aio.AioRpcError):
        await publish(stub, unequal)
    schema, unreadable = await listed(stub)
    assert shown([unreadable, schema]) == [(MESSAGE, "", "UNREADABLE", 0), (MESSAGE, "XYZ", "SCHEMA", 12)]
    assert "chain.bid: has 13 values" in schema.detail
    found = await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=unreadable.entry_id))
    assert found.message == raw
    found = await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=schema.entry_id))
    assert chain_pb2.OptionChain.FromString(found.message) == unequal


async def test_messages_are_bounded_in_number_and_length(
    stub: MarketDataServiceAsyncStub, channel: grpc.aio.Channel
) -> None:
    long = b"\xff" * (MOST_BYTES + 10)
    for raw in (long, long, b"\xff1", b"\xff2", b"\xff2", b"\xff3"):
        await send_bytes(channel, raw)
        if raw is long:
            [entry] = await listed(stub)
            assert f"the first {MOST_BYTES} of {MOST_BYTES + 10} bytes" in entry.detail
            found = await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=entry.entry_id))
            assert len(found.message) == MOST_BYTES
    kept = [
        (await stub.GetQuarantineEntry(pb.GetQuarantineEntryRequest(entry_id=entry.entry_id))).message
        for entry in await listed(stub, kind=MESSAGE)
    ]
    assert kept == [b"\xff3", b"\xff2", b"\xff1"]


async def test_names_that_no_database_holds_do_not_get_in_the_way(stub: MarketDataServiceAsyncStub) -> None:
    chain = small_chain(underlying="A\0B")
    chain.source = "s\0" * 300
    with pytest.raises(grpc.aio.AioRpcError):
        await publish(stub, chain)
    [entry] = await listed(stub)
    assert entry.reason == "SCHEMA"
    assert "\0" not in entry.underlying + entry.source


async def test_lists_are_filtered_and_paged(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, *(broken(minute) for minute in range(3)), broken(1, "ABC"))
    assert len(await listed(stub)) == 8
    assert shown(await listed(stub, underlying="ABC", reason="CROSSED")) == [(CONTRACTS, "ABC", "CROSSED", 2)]
    within = await listed(stub, from_ns=FRIDAY_NS + MINUTE_NS, to_ns=FRIDAY_NS + 2 * MINUTE_NS)
    assert {entry.time_ns for entry in within} == {FRIDAY_NS + MINUTE_NS}
    assert len(within) == 4
    assert await listed(stub, kind=MESSAGE) == []
    paged: list[quarantine_pb2.QuarantineEntry] = []
    token = ""
    while True:
        page = await stub.ListQuarantine(pb.ListQuarantineRequest(page_size=3, page_token=token))
        paged += page.entries
        if not (token := page.next_page_token):
            break
    assert paged == await listed(stub)
    assert [entry.time_ns for entry in paged] == sorted((e.time_ns for e in paged), reverse=True)


async def test_counts_are_by_interval_underlying_and_reason(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, *(broken(minute) for minute in range(3)), broken(1, "ABC"))
    everything = (await stub.ListQuarantineCounts(pb.ListQuarantineCountsRequest())).counts
    assert [(c.start_ns, c.underlying, c.reason, c.entries, c.contracts) for c in everything] == [
        (0, "ABC", "CROSSED", 1, 2),
        (0, "ABC", "NON_FINITE", 1, 1),
        (0, "XYZ", "CROSSED", 3, 6),
        (0, "XYZ", "NON_FINITE", 3, 3),
    ]
    request = pb.ListQuarantineCountsRequest(reason="CROSSED", interval_ns=2 * MINUTE_NS, page_size=1)
    counts: list[quarantine_pb2.QuarantineCount] = []
    while True:
        page = await stub.ListQuarantineCounts(request)
        counts += page.counts
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    begun = FRIDAY_NS - FRIDAY_NS % (2 * MINUTE_NS)
    assert [(c.start_ns - begun, c.underlying, c.entries) for c in counts] == [
        (0, "ABC", 1),
        (0, "XYZ", 2),
        (2 * MINUTE_NS, "XYZ", 1),
    ]


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("ListQuarantine", pb.ListQuarantineRequest(from_ns=-1), "from_ns"),
        ("ListQuarantine", pb.ListQuarantineRequest(from_ns=5, to_ns=5), "to_ns"),
        ("ListQuarantine", pb.ListQuarantineRequest(page_token="x"), "page_token"),
        ("ListQuarantineCounts", pb.ListQuarantineCountsRequest(interval_ns=-1), "interval_ns"),
        ("ListQuarantineCounts", pb.ListQuarantineCountsRequest(page_size=2000), "page_size"),
        ("GetQuarantineEntry", pb.GetQuarantineEntryRequest(), "entry_id"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_bad_question_names_the_field(
    stub: MarketDataServiceAsyncStub, method: str, request_: object, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await getattr(stub, method)(request_)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in (error.value.details() or "")


async def test_what_is_too_old_goes_with_rejected_snapshots(
    stub: MarketDataServiceAsyncStub, channel: grpc.aio.Channel
) -> None:
    later = small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, spot=104.0)
    await publish(stub, broken(), small_chain(time_ns=FRIDAY_NS + DAY_NS), later, broken(0, "ABC"))
    await send_bytes(channel, b"\xff")
    told = await stub.ApplyRetention(pb.ApplyRetentionRequest(dry_run=True))
    done = await stub.ApplyRetention(pb.ApplyRetentionRequest())
    assert done == told
    [rejected] = done.expired
    assert (rejected.snapshots, rejected.quarantined) == (1, 3)
    left = await listed(stub)
    assert sorted(shown(left)) == [
        (CONTRACTS, "ABC", "CROSSED", 2),
        (CONTRACTS, "ABC", "NON_FINITE", 1),
        (MESSAGE, "", "UNREADABLE", 0),
    ]


async def test_prometheus_counts_by_kind_and_reason(
    running: Hosted, stub: MarketDataServiceAsyncStub, channel: grpc.aio.Channel
) -> None:
    await publish(stub, broken(), broken(), small_chain(time_ns=FRIDAY_NS + DAY_NS))
    await send_bytes(channel, b"\xff")

    def counted(kind: str, reason: str) -> float | None:
        labels = {"service": "marketdata", "kind": kind, "reason": reason}
        return running.runtime.metrics.registry.get_sample_value("skewline_quarantined_total", labels)

    assert counted("contracts", "CROSSED") == 2.0
    assert counted("contracts", "NON_FINITE") == 1.0
    assert counted("snapshot", "MARKET_HOLIDAY") == 1.0
    assert counted("message", "UNREADABLE") == 1.0
