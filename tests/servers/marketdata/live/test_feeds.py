"""Live feeds over gRPC: started once, stopped, listed, followed, and taken up after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cboe_files import delayed_file
from chain_samples import FRIDAY_NS, small_chain
from http_venue import HttpVenue, http_venue
from market_service import market_data_service, settings_of, watermarks
from waiting import until_so

from skewline.servers.marketdata.sources.parquet import rows_of
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.storage.database import Database
from skewline.storage.marketdata import feeds as storage
from skewline.v1 import chain_pb2, common_pb2, feed_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

LIVE, STOPPED, DOWN = feed_pb2.FEED_STATE_LIVE, feed_pb2.FEED_STATE_STOPPED, feed_pb2.FEED_STATE_DOWN
XYZ = pb.StartFeedRequest(request_id="one", feed="cboe:XYZ")


@pytest.fixture
async def venue() -> AsyncIterator[HttpVenue]:
    async with http_venue() as venue:
        venue.files["XYZ.json"] = delayed_file(small_chain())
        yield venue


@pytest.fixture
def settings(nats_server: NatsServer, tmp_path: Path, venue: HttpVenue) -> Settings:
    return with_feeds(nats_server, tmp_path, venue)


def with_feeds(nats_server: NatsServer, home: Path, venue: HttpVenue, *feeds: str) -> Settings:
    live = {"retry_first_s": 0.05, "retry_most_s": 0.2, "cboe": {"url": venue.url, "requests_per_s": 100}}
    return settings_of(home, nats_server.url, feeds=feeds, live=live)


async def feeds(stub: MarketDataServiceAsyncStub) -> dict[str, feed_pb2.Feed]:
    return {feed.feed: feed for feed in (await stub.ListFeeds(pb.ListFeedsRequest())).feeds}


async def brought(stub: MarketDataServiceAsyncStub, feed: str) -> feed_pb2.Feed:
    """The feed, as soon as it has brought a chain."""

    async def there() -> bool:
        return (await feeds(stub))[feed].accepted + (await feeds(stub))[feed].rejected > 0

    await until_so(there)
    return (await feeds(stub))[feed]


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details() or ""


async def next_of(call: object) -> pb.StreamFeedsResponse:
    assert isinstance(call, grpc.aio.StreamStreamCall)
    response = await call.read()
    assert isinstance(response, pb.StreamFeedsResponse)
    return response


async def test_a_feed_brings_chains_as_any_source_does(settings: Settings) -> None:
    async with market_data_service(settings) as stub:
        started = (await stub.StartFeed(XYZ)).feed
        assert (started.feed, started.underlying, started.from_settings) == ("cboe:XYZ", "XYZ", False)
        feed = await brought(stub, "cboe:XYZ")
        assert (feed.accepted, feed.provenance) == (1, common_pb2.PROVENANCE_DELAYED)
        assert feed.data_time_ns == FRIDAY_NS
        found = await stub.GetChain(pb.GetChainRequest(underlying="XYZ"))
        assert found.summary.source == "cboe:XYZ"
        assert found.summary.provenance == common_pb2.PROVENANCE_DELAYED
        assert list(found.chain.bid) == list(small_chain().bid)


async def test_its_bad_rows_are_set_aside_and_its_bad_chains_rejected(
    settings: Settings, venue: HttpVenue
) -> None:
    crossed = small_chain()
    crossed.bid[0] = 50.0
    venue.files["XYZ.json"] = delayed_file(crossed)
    empty = small_chain(underlying="ABC")
    empty.bid[:] = empty.ask[:] = [0.0] * 12
    venue.files["ABC.json"] = delayed_file(empty)
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        await stub.StartFeed(pb.StartFeedRequest(request_id="two", feed="cboe:ABC"))
        assert (await brought(stub, "cboe:XYZ")).accepted == 1
        assert (await brought(stub, "cboe:ABC")).rejected == 1
        listed = {each.underlying: each for each in (await stub.ListChains(pb.ListChainsRequest())).chains}
        assert [(each.reason, each.count) for each in listed["XYZ"].rejected] == [("CROSSED", 1)]
        assert (listed["ABC"].status, listed["ABC"].reason) == (chain_pb2.CHAIN_STATUS_REJECTED, "EMPTY")


async def test_a_repeated_request_is_the_same_feed(settings: Settings) -> None:
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        await brought(stub, "cboe:XYZ")
        assert (await stub.StartFeed(XYZ)).feed.accepted == 1
        assert list(await feeds(stub)) == ["cboe:XYZ"]
        other = pb.StartFeedRequest(request_id="one", feed="cboe:ABC")
        assert (await refusal(stub.StartFeed(other)))[0] == grpc.StatusCode.ALREADY_EXISTS
        again = pb.StartFeedRequest(request_id="two", feed="cboe:XYZ")
        assert await refusal(stub.StartFeed(again)) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "cboe:XYZ is running already; stop it first",
        )


async def test_a_stopped_feed_stays_stopped_over_a_restart(settings: Settings) -> None:
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        await brought(stub, "cboe:XYZ")
        stopped = (await stub.StopFeed(pb.StopFeedRequest(feed="cboe:XYZ"))).feed
        assert (stopped.state, stopped.accepted) == (STOPPED, 1)
        assert await feeds(stub) == {}
        assert (await stub.StartFeed(XYZ)).feed.state == STOPPED
        missing = await refusal(stub.StopFeed(pb.StopFeedRequest(feed="cboe:XYZ")))
        assert missing == (grpc.StatusCode.NOT_FOUND, "there is no running feed 'cboe:XYZ'")
    async with market_data_service(settings) as stub:
        assert await feeds(stub) == {}
        await stub.StartFeed(pb.StartFeedRequest(request_id="three", feed="cboe:XYZ"))
        assert list(await feeds(stub)) == ["cboe:XYZ"]


async def test_a_stop_that_could_not_be_kept_can_be_asked_for_again(settings: Settings) -> None:
    refusing = "CREATE TRIGGER refusing BEFORE UPDATE ON feeds BEGIN SELECT RAISE(ABORT, 'no'); END"
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        await brought(stub, "cboe:XYZ")
        with Database.open(f"sqlite:///{settings.home}/db", "marketdata") as database:
            with database.begin() as connection:
                connection.exec_driver_sql(refusing)
            stop = pb.StopFeedRequest(feed="cboe:XYZ")
            assert (await refusal(stub.StopFeed(stop)))[0] == grpc.StatusCode.INTERNAL
            with database.begin() as connection:
                connection.exec_driver_sql("DROP TRIGGER refusing")
        assert (await stub.StopFeed(stop)).feed.state == STOPPED
        assert await feeds(stub) == {}
    async with market_data_service(settings) as stub:
        assert await feeds(stub) == {}


async def test_a_start_that_was_kept_but_not_carried_out_is_when_asked_for_again(settings: Settings) -> None:
    async with market_data_service(settings) as stub:
        # As if the caller had gone away, or the database with the word of its commit.
        with (
            Database.open(f"sqlite:///{settings.home}/db", "marketdata") as database,
            database.begin() as connection,
        ):
            storage.add(connection, storage.FeedRow("one", "cboe:XYZ", FRIDAY_NS, stopped=False))
        await stub.StartFeed(XYZ)
        assert (await brought(stub, "cboe:XYZ")).accepted == 1


async def test_a_running_feed_goes_on_after_a_restart(settings: Settings, venue: HttpVenue) -> None:
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        await brought(stub, "cboe:XYZ")
    later = small_chain(time_ns=FRIDAY_NS + 60_000_000_000, shift=0.1)
    venue.files["XYZ.json"] = delayed_file(later)
    async with market_data_service(settings) as stub:
        assert (await brought(stub, "cboe:XYZ")).data_time_ns == later.time_ns
        assert len((await stub.ListChains(pb.ListChainsRequest())).chains) == 2


async def test_a_feed_from_the_settings_begins_with_the_service(
    nats_server: NatsServer, tmp_path: Path, venue: HttpVenue
) -> None:
    settings = with_feeds(nats_server, tmp_path, venue, "cboe:XYZ")
    for _ in range(2):
        async with market_data_service(settings) as stub:
            assert (await feeds(stub))["cboe:XYZ"].from_settings
            await brought(stub, "cboe:XYZ")
            # Stopped, it begins again with the service: the settings still ask for it.
            assert (await stub.StopFeed(pb.StopFeedRequest(feed="cboe:XYZ"))).feed.state == STOPPED


async def test_a_venue_that_cannot_be_reached_does_not_keep_the_service_from_starting(
    settings: Settings, venue: HttpVenue
) -> None:
    await venue.close()
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)

        async def down() -> bool:
            return (await feeds(stub))["cboe:XYZ"].state == DOWN

        await until_so(down)
        assert (await feeds(stub))["cboe:XYZ"].reason == "UNREACHABLE"
        await venue.open()
        assert (await brought(stub, "cboe:XYZ")).accepted == 1


async def test_subscribers_hear_of_states_and_gaps_and_resume(settings: Settings, venue: HttpVenue) -> None:
    venue.files["XYZ.json"] = delayed_file(small_chain()).replace(b"XYZ190621C", b"XYZ199921C", 1)
    async with market_data_service(settings) as stub:
        call = stub.StreamFeeds()
        await call.write(pb.StreamFeedsRequest(subscribe=common_pb2.Subscription(underlyings=["XYZ"])))
        await stub.StartFeed(XYZ)
        heard = [await next_of(call) for _ in range(3)]
        assert [each.update.feed.state for each in heard] == [
            feed_pb2.FEED_STATE_CONNECTING,
            feed_pb2.FEED_STATE_CONNECTING,
            LIVE,
        ]
        assert heard[1].update.gap.reason == "UNREADABLE"
        assert "XYZ199921C" in heard[1].update.gap.detail
        again = stub.StreamFeeds()
        resumed = common_pb2.Subscription(resume_after=heard[0].sequence)
        await again.write(pb.StreamFeedsRequest(subscribe=resumed))
        assert (await next_of(again)).update == heard[1].update
        fresh = stub.StreamFeeds()
        await fresh.write(pb.StreamFeedsRequest(subscribe=common_pb2.Subscription()))
        assert (await next_of(fresh)).snapshot == heard[2].update


async def test_no_replay_runs_beside_a_feed_and_no_feed_beside_a_replay(
    nats_server: NatsServer, settings: Settings, tmp_path: Path
) -> None:
    pq.write_table(pa.concat_tables([rows_of(small_chain(underlying="REC"))]), tmp_path / "chains.parquet")
    replay = pb.StartReplayRequest(request_id="r", source=f"parquet:{tmp_path}")
    async with market_data_service(settings) as stub, watermarks(nats_server.url) as answering:
        await stub.StartFeed(XYZ)
        code, says = await refusal(stub.StartReplay(replay))
        assert code == grpc.StatusCode.FAILED_PRECONDITION
        assert "cboe:XYZ runs, and no replay runs beside a live feed" in says
        await stub.StopFeed(pb.StopFeedRequest(feed="cboe:XYZ"))
        answering.answering.clear()
        started = (await stub.StartReplay(replay)).replay
        other = pb.StartFeedRequest(request_id="two", feed="cboe:XYZ")
        code, says = await refusal(stub.StartFeed(other))
        assert (code, started.replay_id in says) == (grpc.StatusCode.FAILED_PRECONDITION, True)
        answering.answering.set()


@pytest.mark.parametrize(
    ("request_id", "feed", "says"),
    [
        ("", "cboe:XYZ", "request_id: is required"),
        ("x" * 129, "cboe:XYZ", "request_id: has 129 of at most 128"),
        ("one", "", "feed: is required"),
        ("one", "XYZ", "feed: must be VENUE:SYMBOL, with a venue of cboe"),
        ("one", "nyse:XYZ", "feed: must be VENUE:SYMBOL, with a venue of cboe"),
        ("one", "cboe:", "feed: must have a symbol"),
        ("one", "cboe:x y", "feed: must have a symbol"),
        ("one", "cboe:../../etc", "feed: must have a symbol"),
    ],
)
async def test_a_feed_that_cannot_be_says_why(
    settings: Settings, request_id: str, feed: str, says: str
) -> None:
    async with market_data_service(settings) as stub:
        code, details = await refusal(stub.StartFeed(pb.StartFeedRequest(request_id=request_id, feed=feed)))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert says in details


async def test_feeds_are_listed_page_by_page(settings: Settings, venue: HttpVenue) -> None:
    async with market_data_service(settings) as stub:
        for name in ("AAA", "BBB", "CCC"):
            await stub.StartFeed(pb.StartFeedRequest(request_id=name, feed=f"cboe:{name}"))
        first = await stub.ListFeeds(pb.ListFeedsRequest(page_size=2))
        assert [feed.feed for feed in first.feeds] == ["cboe:AAA", "cboe:BBB"]
        second = await stub.ListFeeds(pb.ListFeedsRequest(page_size=2, page_token=first.next_page_token))
        assert [feed.feed for feed in second.feeds] == ["cboe:CCC"]
        assert second.next_page_token == ""


async def test_one_feed_at_most_brings_an_underlying(
    nats_server: NatsServer, tmp_path: Path, settings: Settings, venue: HttpVenue
) -> None:
    async with market_data_service(settings) as stub:
        await stub.StartFeed(XYZ)
        other = pb.StartFeedRequest(request_id="two", feed="deribit:XYZ")
        code, says = await refusal(stub.StartFeed(other))
        assert (code, "brought by cboe:XYZ" in says) == (grpc.StatusCode.FAILED_PRECONDITION, True)
    url = f"{venue.url}/api/v2"
    live = {"deribit": {"url": url, "ws_url": url.replace("http", "ws")}}
    changed = settings_of(tmp_path, nats_server.url, feeds=("deribit:XYZ",), live=live)
    async with market_data_service(changed) as stub:
        assert list(await feeds(stub)) == ["deribit:XYZ"]
