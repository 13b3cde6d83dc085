"""The service over gRPC, on real NATS and SQLite."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain
from google.rpc import error_details_pb2
from grpc_status.rpc_status import from_call
from market_service import market_data_service, settings_of

from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

ACCEPTED, REJECTED = chain_pb2.CHAIN_STATUS_ACCEPTED, chain_pb2.CHAIN_STATUS_REJECTED


@pytest.fixture
async def stub(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[MarketDataServiceAsyncStub]:
    async with market_data_service(settings_of(tmp_path, nats_server.url)) as connected:
        yield connected


async def publish(
    stub: MarketDataServiceAsyncStub, *chains: chain_pb2.OptionChain
) -> list[chain_pb2.ChainSummary]:
    async def requests() -> AsyncIterator[pb.PublishChainsRequest]:
        for number, chain in enumerate(chains):
            yield pb.PublishChainsRequest(request_id=f"r{number}", chain=chain)

    return [answer.summary async for answer in stub.PublishChains(requests())]


def minutes(count: int) -> list[chain_pb2.OptionChain]:
    return [
        small_chain(time_ns=FRIDAY_NS + number * MINUTE_NS, spot=100.0 + number % 3, shift=number / 100)
        for number in range(count)
    ]


def subscribing(underlyings: Sequence[str] = (), resume_after: int = 0) -> pb.StreamChainsRequest:
    wanted = common_pb2.Subscription(underlyings=underlyings, resume_after=resume_after)
    return pb.StreamChainsRequest(subscribe=wanted)


async def next_of(call: object) -> pb.StreamChainsResponse:
    assert isinstance(call, grpc.aio.StreamStreamCall)
    response = await call.read()
    assert isinstance(response, pb.StreamChainsResponse)
    return response


def violations(error: grpc.aio.AioRpcError) -> dict[str, str]:
    status = from_call(error)  # type: ignore[arg-type]  # it has code, details and metadata, as a call
    assert status is not None
    bad = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(bad)
    return {violation.field: violation.description for violation in bad.field_violations}


async def test_a_published_chain_is_answered_and_found(stub: MarketDataServiceAsyncStub) -> None:
    summaries = await publish(stub, *minutes(2))
    assert [summary.status for summary in summaries] == [ACCEPTED, ACCEPTED]
    newest = await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))
    assert newest.summary == summaries[1]
    assert newest.chain.snapshot_id == summaries[1].snapshot_id
    assert list(newest.chain.bid) == list(minutes(2)[1].bid)
    earlier = await stub.GetChain(pb.GetChainRequest(underlying="XYZ", as_of_ns=FRIDAY_NS + 1))
    assert earlier.summary == summaries[0]
    assert (await stub.GetChain(pb.GetChainRequest(snapshot_id=summaries[0].snapshot_id))) == earlier


async def test_a_repeated_chain_is_answered_and_not_stored_twice(stub: MarketDataServiceAsyncStub) -> None:
    first = await publish(stub, *minutes(2))
    assert await publish(stub, *minutes(2)) == first
    listed = await stub.ListChains(pb.ListChainsRequest())
    assert [summary.snapshot_id for summary in listed.chains] == [s.snapshot_id for s in reversed(first)]


async def test_a_rejected_chain_is_stored_with_its_reason(stub: MarketDataServiceAsyncStub) -> None:
    chain = small_chain(time_ns=FRIDAY_NS + DAY_NS)
    (summary,) = await publish(stub, chain)
    assert (summary.status, summary.reason) == (REJECTED, "MARKET_HOLIDAY")
    stored = await stub.GetChain(pb.GetChainRequest(snapshot_id=summary.snapshot_id))
    assert stored.summary == summary
    assert list(stored.chain.ask) == list(chain.ask)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    rejected = await stub.ListChains(pb.ListChainsRequest(status=REJECTED))
    assert list(rejected.chains) == [summary]


async def test_rubbish_names_the_field_and_the_service_goes_on(stub: MarketDataServiceAsyncStub) -> None:
    chain = small_chain()
    chain.bid.append(1.0)
    chain.expiry_index[0] = 9
    chain.underlying = "no such thing"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await publish(stub, chain)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    found = violations(error.value)
    assert set(found) == {"chain.bid", "chain.expiry_index[0]", "chain.underlying"}
    assert "below 2" in found["chain.expiry_index[0]"]
    assert (await publish(stub, small_chain()))[0].status == ACCEPTED


async def test_what_came_before_rubbish_is_stored_and_answered(stub: MarketDataServiceAsyncStub) -> None:
    chains = minutes(4)
    chains[2].currency = ""
    answers: list[str] = []

    async def publish_all() -> None:
        requests = (pb.PublishChainsRequest(request_id=f"r{n}", chain=c) for n, c in enumerate(chains))
        async for answer in stub.PublishChains(requests):
            answers.append(answer.request_id)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(grpc.aio.AioRpcError) as error:
        await publish_all()
    assert violations(error.value) == {"chain.currency": "is required; give it a value"}
    assert answers == ["r0", "r1"]
    listed = await stub.ListChains(pb.ListChainsRequest())
    assert [summary.time_ns for summary in listed.chains] == [chains[1].time_ns, chains[0].time_ns]


async def test_a_chain_that_cannot_be_taken_in_does_not_cost_its_neighbours(
    stub: MarketDataServiceAsyncStub,
) -> None:
    chains = minutes(5)
    chains[3].strike[0] = 95.00049  # no OSI symbol
    with pytest.raises(grpc.aio.AioRpcError):
        await publish(stub, *chains)
    listed = await stub.ListChains(pb.ListChainsRequest())
    assert [summary.time_ns for summary in reversed(listed.chains)] == [c.time_ns for c in chains[:3]]
    assert [summary.status for summary in await publish(stub, chains[0], chains[4])] == [ACCEPTED] * 2


async def test_each_published_snapshot_begins_a_trace_of_its_own(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    async with (
        await Bus.connect(nats_server.url, "listener") as bus,
        market_data_service(settings_of(tmp_path, nats_server.url)) as stub,
    ):
        traces: asyncio.Queue[str] = asyncio.Queue()

        async def note(delivery: Delivery) -> None:
            traces.put_nowait(delivery.traceparent or "")

        await bus.tail("market.chain.>", note)
        await publish(stub, *minutes(6))
        seen = {await asyncio.wait_for(traces.get(), 10.0) for _ in range(6)}
    assert len({parent.split("-")[1] for parent in seen}) == 6


async def test_lists_are_paged(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, *minutes(5))
    pages: list[list[int]] = []
    token = ""
    while True:
        page = await stub.ListChains(pb.ListChainsRequest(underlying="XYZ", page_size=2, page_token=token))
        pages.append([summary.time_ns for summary in page.chains])
        if not (token := page.next_page_token):
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [time_ns for page in pages for time_ns in page] == [
        FRIDAY_NS + number * MINUTE_NS for number in (4, 3, 2, 1, 0)
    ]


async def test_bars_come_from_the_spots(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, *minutes(6))
    request = pb.ListBarsRequest(underlying="XYZ", interval_ns=3 * MINUTE_NS, page_size=1)
    first = await stub.ListBars(request)
    request.page_token = first.next_page_token
    second = await stub.ListBars(request)
    assert not second.next_page_token
    bars = [*first.bars, *second.bars]
    assert [(bar.open, bar.high, bar.low, bar.close, bar.snapshots) for bar in bars] == [
        (100.0, 102.0, 100.0, 102.0, 3)
    ] * 2
    assert bars[0].start_ns == FRIDAY_NS
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.ListBars(pb.ListBarsRequest())
    assert set(violations(error.value)) == {"underlying", "interval_ns"}


async def test_realised_volatility_comes_from_the_spots(stub: MarketDataServiceAsyncStub) -> None:
    await publish(stub, *minutes(6))
    request = pb.GetRealisedVolatilityRequest(
        underlying="XYZ", interval_ns=2 * MINUTE_NS, bars_a_year=10_000.0, windows=[3, 4]
    )
    found = await stub.GetRealisedVolatility(request)
    assert (found.bars, found.from_ns, found.to_ns) == (3, FRIDAY_NS, FRIDAY_NS + 5 * MINUTE_NS)
    assert found.provenance == small_chain().provenance
    vols = {(one.estimator, one.bars, one.reason): one.vol for one in found.vols}
    returns = [math.log(100 / 101), math.log(102 / 100)]
    expected = 100.0 * abs(returns[1] - returns[0]) / math.sqrt(2.0)
    assert vols[pb.VOLATILITY_ESTIMATOR_CLOSE_TO_CLOSE, 3, ""] == pytest.approx(expected)
    without = {reason for (_, _, reason), vol in vols.items() if math.isnan(vol)}
    assert without == {
        "there are 3 bars of 4",
        "there are 3 bars of 101",
        "a bar has 2 prices: a range needs 50, or is far too small",
    }
    request.as_of_ns = FRIDAY_NS + MINUTE_NS
    assert (await stub.GetRealisedVolatility(request)).to_ns == request.as_of_ns


async def test_realised_volatility_names_what_is_wrong(stub: MarketDataServiceAsyncStub) -> None:
    request = pb.GetRealisedVolatilityRequest(
        interval_ns=MINUTE_NS,
        windows=[2, 5000],
        as_of_ns=-1,
        estimators=[pb.VOLATILITY_ESTIMATOR_UNSPECIFIED],
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.GetRealisedVolatility(request)
    assert set(violations(error.value)) == {
        *("underlying", "bars_a_year", "windows[0]", "windows[1]", "as_of_ns", "estimators[0]")
    }
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.GetRealisedVolatility(pb.GetRealisedVolatilityRequest(underlying="NONE"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


async def test_instruments_are_known_from_first_to_last_sight(stub: MarketDataServiceAsyncStub) -> None:
    gone, later = minutes(2)
    later.expiries[0].root = "XYZ1"
    await publish(stub, gone, later)
    listed = await stub.ListInstruments(pb.ListInstrumentsRequest(underlying="XYZ"))
    assert len(listed.instruments) == 1 + 12 + 6
    old = await stub.GetInstrument(pb.GetInstrumentRequest(instrument_id="XYZ190621C00095000"))
    assert old.instrument.instrument_id == "XYZ   190621C00095000"
    assert (old.instrument.first_seen_ns, old.instrument.last_seen_ns) == (FRIDAY_NS, FRIDAY_NS)
    kept = await stub.GetInstrument(pb.GetInstrumentRequest(instrument_id="XYZ   190719P00105000"))
    assert kept.instrument.last_seen_ns == FRIDAY_NS + MINUTE_NS
    assert kept.instrument.strike.units == 105
    puts = await stub.ListInstruments(
        pb.ListInstrumentsRequest(expiry_date="2019-07-19", right=instrument_pb2.OPTION_RIGHT_PUT)
    )
    assert [i.instrument_id for i in puts.instruments] == [
        f"XYZ   190719P00{strike}000" for strike in ("095", "100", "105")
    ]


async def test_a_stream_shows_what_is_current_then_what_is_new(stub: MarketDataServiceAsyncStub) -> None:
    first, second, third = minutes(3)
    await publish(stub, first)
    call = stub.StreamChains()
    await call.write(subscribing(underlyings=["XYZ"]))
    current = await next_of(call)
    assert current.snapshot.time_ns == FRIDAY_NS
    await publish(stub, second, small_chain(underlying="ABC"), third)
    updates = [await next_of(call) for _ in range(2)]
    assert [response.update.time_ns for response in updates] == [second.time_ns, third.time_ns]
    call.cancel()
    again = stub.StreamChains()
    await again.write(subscribing(resume_after=current.sequence))
    resumed = [await next_of(again) for _ in range(3)]
    assert [response.update.underlying for response in resumed] == ["XYZ", "ABC", "XYZ"]
    again.cancel()


async def test_a_stream_asked_for_nothing_says_what_to_send(stub: MarketDataServiceAsyncStub) -> None:
    call = stub.StreamChains()
    await call.write(pb.StreamChainsRequest())
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await next_of(call)
    assert violations(error.value) == {"command": "is required: set subscribe or credit"}


async def test_what_was_stored_outlives_the_process(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    async with market_data_service(settings) as stub:
        before = await publish(stub, *minutes(2))
    async with market_data_service(settings) as stub:
        newest = await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))
        assert newest.summary == before[1]
        (stale,) = await publish(stub, small_chain(time_ns=FRIDAY_NS + 5 * MINUTE_NS, spot=101.0, shift=0.01))
        assert stale.reason == "DUPLICATE_SNAPSHOT"
        call = stub.StreamChains()
        await call.write(subscribing())
        async with asyncio.timeout(5):
            assert (await next_of(call)).snapshot.snapshot_id == before[1].snapshot_id
        call.cancel()


async def test_postgresql_holds_the_same(nats_server: NatsServer, tmp_path: Path, postgres_url: str) -> None:
    settings = settings_of(tmp_path, nats_server.url)
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    database = settings.database.model_copy(update={"url": url})
    async with market_data_service(settings.model_copy(update={"database": database})) as stub:
        summaries = await publish(stub, *minutes(3))
        assert [summary.status for summary in summaries] == [ACCEPTED] * 3
        assert (await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))).summary == summaries[2]
        assert len((await stub.ListInstruments(pb.ListInstrumentsRequest())).instruments) == 13
