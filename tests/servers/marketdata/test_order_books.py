"""Order books and trades over gRPC: from a venue's feed to subscribers, tables and the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from binance_venue import BinanceVenue, binance_venue, minutes
from market_service import market_data_service, settings_of
from waiting import until, until_so

from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.event_rules import event_of
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import chain_pb2, common_pb2, event_pb2, feed_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

FEED = "binance:BTCUSDT"
DAY_NS = 86_400_000_000_000
Subscription = common_pb2.Subscription


@pytest.fixture
async def venue(market_data: Path) -> AsyncIterator[BinanceVenue]:
    async with binance_venue(minutes(market_data, "spot")) as venue:
        yield venue


@pytest.fixture
def settings(nats_server: NatsServer, tmp_path: Path, venue: BinanceVenue) -> Settings:
    return with_feed(nats_server, tmp_path, venue)


def with_feed(nats_server: NatsServer, home: Path, venue: BinanceVenue, **more: object) -> Settings:
    live = {"retry_first_s": 0.05, "retry_most_s": 0.2, "binance": venue.settings.model_dump()}
    return settings_of(home, nats_server.url, feeds=(FEED,), live=live, **more)


async def get(stub: MarketDataServiceAsyncStub, **asked: Any) -> pb.GetOrderBookResponse:
    return await stub.GetOrderBook(pb.GetOrderBookRequest(instrument_id=FEED, **asked))


async def shown(stub: MarketDataServiceAsyncStub, venue: BinanceVenue) -> pb.GetOrderBookResponse:
    """The book, as soon as it is the venue's."""

    async def there() -> bool:
        try:
            return (await get(stub)).order_book.update_id == venue.update_id
        except grpc.aio.AioRpcError:
            return False

    await until_so(there)
    return await get(stub)


async def played(stub: MarketDataServiceAsyncStub, venue: BinanceVenue, updates: int) -> None:
    await venue.listened_to()
    await venue.play(venue.following(updates))
    await shown(stub, venue)
    await until_so(lambda: stored(stub, len(venue.traded)))


async def stored(stub: MarketDataServiceAsyncStub, count: int) -> bool:
    return len(await all_trades(stub, 1000)) >= count


async def all_trades(stub: MarketDataServiceAsyncStub, page_size: int, **asked: int) -> list[int]:
    ids: list[int] = []
    token = ""
    while True:
        page = await stub.ListTrades(
            pb.ListTradesRequest(instrument_id=FEED, page_size=page_size, page_token=token, **asked)
        )
        assert len(page.trades.trade_id) <= page_size
        ids += page.trades.trade_id
        token = page.next_page_token
        if not token:
            return ids


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details() or ""


async def next_of(call: Any) -> Any:
    """The next response of a stream."""
    return await call.read()


async def test_the_current_book_is_served_with_how_its_feed_does(
    settings: Settings, venue: BinanceVenue
) -> None:
    async with market_data_service(settings) as stub:
        assert (await refusal(get(stub)))[0] == grpc.StatusCode.NOT_FOUND
        await played(stub, venue, 20)
        answer = await get(stub, depth=3)
        book = answer.order_book
        assert (answer.feed_state, answer.feed_reason) == (feed_pb2.FEED_STATE_LIVE, "")
        assert (len(book.bid_price), len(book.ask_quantity), book.provenance) == (3, 3, 1)
        best = (book.bid_price[0], book.bid_quantity[0], book.ask_price[0], book.ask_quantity[0])
        assert best == venue.recorded.best_at(venue.update_id)
        bids, asks = sum(book.bid_quantity), sum(book.ask_quantity)
        assert book.depth_imbalance == pytest.approx((bids - asks) / (bids + asks))
        assert book.mid == pytest.approx((book.best_bid + book.best_ask) / 2)
        [feed] = (await stub.ListFeeds(pb.ListFeedsRequest())).feeds
        assert (feed.underlying, feed.trades, feed.accepted) == (FEED, len(venue.traded), 0)
        assert feed.order_books > 0
        await stub.StopFeed(pb.StopFeedRequest(feed=FEED))
        assert (await get(stub)).feed_state == feed_pb2.FEED_STATE_STOPPED


async def test_books_are_stored_now_and_then_and_found_as_of_a_time(
    nats_server: NatsServer, tmp_path: Path, venue: BinanceVenue
) -> None:
    settings = with_feed(nats_server, tmp_path, venue, store_order_books_every_s=2.0)
    async with market_data_service(settings) as stub:
        await played(stub, venue, 30)
        first = (await get(stub, as_of_ns=2**62)).order_book
        await played(stub, venue, 70)
        last = (await get(stub)).order_book
        later = (await get(stub, as_of_ns=last.time_ns)).order_book
        assert first.time_ns + 2_000_000_000 <= later.time_ns <= last.time_ns
        code, says = await refusal(get(stub, as_of_ns=1))
        assert (code, "order book" in says) == (grpc.StatusCode.NOT_FOUND, True)
    async with market_data_service(settings) as stub:
        # Of before the restart, and said to be so by the state of its feed.
        answer = await get(stub)
        assert answer.order_book.time_ns >= first.time_ns
        assert answer.feed_state == feed_pb2.FEED_STATE_CONNECTING


async def test_subscribers_get_books_conflated_and_resume(settings: Settings, venue: BinanceVenue) -> None:
    async with market_data_service(settings) as stub:
        await played(stub, venue, 5)
        call = stub.StreamOrderBooks()
        await call.write(pb.StreamOrderBooksRequest(subscribe=Subscription(underlyings=[FEED], credit=2)))
        snapshot = await next_of(call)
        assert snapshot.snapshot.update_id == (await get(stub)).order_book.update_id
        for _ in range(10):
            await played(stub, venue, 1)
        await next_of(call)
        # Without credit, the newest of those that came takes the place of the others.
        await call.write(pb.StreamOrderBooksRequest(credit=common_pb2.Credit(updates=1)))
        gap, newest = await next_of(call), await next_of(call)
        assert (gap.gap.reason, gap.gap.skipped > 0) == ("CONFLATED", True)
        assert newest.update.update_id == venue.update_id
        again = stub.StreamOrderBooks()
        resumed = Subscription(resume_after=snapshot.sequence)
        await again.write(pb.StreamOrderBooksRequest(subscribe=resumed))
        assert (await next_of(again)).gap.reason == "EXPIRED"
        assert (await next_of(again)).update.update_id == venue.update_id
        other = stub.StreamOrderBooks()
        await other.write(pb.StreamOrderBooksRequest(subscribe=Subscription(underlyings=["binance:ETHUSDT"])))
        assert (await next_of(other)).WhichOneof("item") == "heartbeat"
        ahead = stub.StreamOrderBooks()
        await ahead.write(pb.StreamOrderBooksRequest(subscribe=Subscription(resume_after=2**62)))
        code, says = await refusal(next_of(ahead))
        assert (code, "subscribe.resume_after" in says) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_a_subscription_to_books_goes_on_over_a_restart(
    settings: Settings, venue: BinanceVenue
) -> None:
    async with market_data_service(settings) as stub:
        await played(stub, venue, 5)
        call = stub.StreamOrderBooks()
        await call.write(pb.StreamOrderBooksRequest(subscribe=Subscription()))
        seen = await next_of(call)
    async with market_data_service(settings) as stub:
        call = stub.StreamOrderBooks()
        await call.write(pb.StreamOrderBooksRequest(subscribe=Subscription(resume_after=seen.sequence)))
        await venue.listened_to()
        await venue.play(venue.following(5))
        items = [await next_of(call) for _ in range(2)]
        updates = [each.update.update_id for each in items if each.WhichOneof("item") == "update"]
        assert updates
        assert updates[-1] > seen.snapshot.update_id


async def test_trades_are_listed_page_by_page_and_by_time(settings: Settings, venue: BinanceVenue) -> None:
    async with market_data_service(settings) as stub:
        await played(stub, venue, 60)
        expected = [each["t"] for each in venue.traded]
        assert await all_trades(stub, 7) == expected
        assert await all_trades(stub, 1000) == expected
        middle = venue.traded[len(expected) // 2]["T"] * 1_000_000
        before = await all_trades(stub, 50, to_ns=middle)
        after = await all_trades(stub, 50, from_ns=middle)
        assert [*before, *after] == expected
        assert before == [each["t"] for each in venue.traded if each["T"] * 1_000_000 < middle]
        one = await stub.ListTrades(pb.ListTradesRequest(instrument_id=FEED, page_size=1))
        first = venue.traded[0]
        trades = one.trades
        assert (trades.instrument_id, trades.price[0], trades.quantity[0], trades.is_buy[0]) == (
            FEED,
            float(first["p"]),
            float(first["q"]),
            not first["m"],
        )
        assert trades.provenance == common_pb2.PROVENANCE_LIVE
        none = await stub.ListTrades(pb.ListTradesRequest(instrument_id="binance:ETHUSDT"))
        assert (len(none.trades.trade_id), none.next_page_token) == (0, "")


async def test_a_subscriber_to_trades_resumes_without_loss(settings: Settings, venue: BinanceVenue) -> None:
    async with market_data_service(settings) as stub:
        await played(stub, venue, 5)
        call = stub.StreamTrades()
        await call.write(pb.StreamTradesRequest(subscribe=Subscription(underlyings=[FEED])))
        seen = await next_of(call)
        assert seen.snapshot.trade_id[-1] == venue.traded[-1]["t"]
        call.cancel()
        for _ in range(4):
            await played(stub, venue, 10)
    # And over a restart, while more happened at the venue.
    for each in venue.following(50):
        venue.happen(each)
    async with market_data_service(settings) as stub:
        call = stub.StreamTrades()
        await call.write(pb.StreamTradesRequest(subscribe=Subscription(resume_after=seen.sequence)))
        await venue.listened_to()
        await venue.play(venue.following(20))
        ids: list[int] = []
        while not ids or ids[-1] < venue.traded[-1]["t"]:
            item = await next_of(call)
            assert item.WhichOneof("item") in ("update", "heartbeat")
            ids += item.update.trade_id
        assert ids == list(range(seen.snapshot.trade_id[-1] + 1, venue.traded[-1]["t"] + 1))
        assert await all_trades(stub, 1000) == [each["t"] for each in venue.traded]


async def test_the_bus_gets_all_trades_and_the_newest_book(
    nats_server: NatsServer, settings: Settings, venue: BinanceVenue
) -> None:
    events: list[event_pb2.Event] = []

    async def on_delivery(delivery: Delivery) -> None:
        events.append(event_of(delivery))

    async with market_data_service(settings) as stub:
        await played(stub, venue, 40)
    async with market_data_service(settings) as stub, await Bus.connect(nats_server.url, "listener") as bus:
        await played(stub, venue, 10)
        newest = (await get(stub)).order_book
        await bus.tail("trade.>", on_delivery, start="all")
        await bus.tail("book.>", on_delivery, start="all")
        expected = [each["t"] for each in venue.traded]

        def ids() -> list[int]:
            return [
                one for each in events if each.HasField("trade_batch") for one in each.trade_batch.trade_id
            ]

        await until(lambda: len(ids()) >= len(expected))
        assert ids() == expected
        books = [each for each in events if each.HasField("order_book")]
        await until(lambda: any(each.HasField("order_book") for each in events))
        books = [each for each in events if each.HasField("order_book")]
        assert books[-1].underlying == FEED
        assert books[-1].order_book.update_id <= newest.update_id
        assert len({each.event_id for each in events}) == len(events)


async def test_trades_and_books_go_when_they_are_too_old(
    nats_server: NatsServer, tmp_path: Path, venue: BinanceVenue
) -> None:
    settings = with_feed(
        nats_server,
        tmp_path,
        venue,
        keep_trades_days=3 / 86_400,
        keep_order_books_days=3 / 86_400,
        store_order_books_every_s=1.0,
    )
    async with market_data_service(settings) as stub:
        for _ in range(8):
            await played(stub, venue, 10)
        before = await all_trades(stub, 1000)
        told = await stub.ApplyRetention(pb.ApplyRetentionRequest(dry_run=True))
        assert await all_trades(stub, 1000) == before
        done = await stub.ApplyRetention(pb.ApplyRetentionRequest())
        assert done == told
        books, trades = done.records
        assert (books.kind, trades.kind) == ("order books", "trades")
        assert min(books.records, trades.records) > 0
        left = await all_trades(stub, 1000)
        newest_ns = venue.traded[-1]["T"] * 1_000_000
        kept = [each["t"] for each in venue.traded if each["T"] * 1_000_000 >= newest_ns - 3_000_000_000]
        assert left[-len(kept) :] == kept
        assert len(left) < len(before)
        again = await stub.ApplyRetention(pb.ApplyRetentionRequest())
        assert [each.records for each in again.records] == [0, 0]
        call = stub.StreamTrades()
        await call.write(pb.StreamTradesRequest(subscribe=Subscription(resume_after=1)))
        assert (await next_of(call)).gap.reason == "EXPIRED"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "instrument_id: is required"),
        ({"instrument_id": "x" * 129}, "instrument_id: has 129 of at most 128"),
        ({"instrument_id": FEED, "as_of_ns": -1}, "as_of_ns: must be zero or a number above it"),
        ({"instrument_id": FEED, "depth": 2**32 - 1}, "depth: must be from 0 to 5000"),
    ],
)
async def test_a_question_for_a_book_that_is_none_says_why(
    settings: Settings, asked: dict[str, Any], says: str
) -> None:
    async with market_data_service(settings) as stub:
        code, details = await refusal(stub.GetOrderBook(pb.GetOrderBookRequest(**asked)))
        assert (code, says in details) == (grpc.StatusCode.INVALID_ARGUMENT, True), details


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "instrument_id: is required"),
        ({"instrument_id": FEED, "from_ns": -1}, "from_ns: must be zero"),
        ({"instrument_id": FEED, "from_ns": 2, "to_ns": 2}, "to_ns: must be after from_ns"),
        ({"instrument_id": FEED, "page_size": 1001}, "page_size: must be from 1 to 1000"),
        ({"instrument_id": FEED, "page_token": "rubbish"}, "page_token: is not a token of this list"),
    ],
)
async def test_a_question_for_trades_that_is_none_says_why(
    settings: Settings, asked: dict[str, Any], says: str
) -> None:
    async with market_data_service(settings) as stub:
        code, details = await refusal(stub.ListTrades(pb.ListTradesRequest(**asked)))
        assert (code, says in details) == (grpc.StatusCode.INVALID_ARGUMENT, True), details


async def test_bars_and_volatilities_are_made_of_trades(settings: Settings, venue: BinanceVenue) -> None:
    second, minute = 1_000_000_000, 60_000_000_000
    async with market_data_service(settings) as stub:
        for _ in range(9):
            await played(stub, venue, 150)
        for interval in (minute, 7 * second):
            listed = await stub.ListBars(
                pb.ListBarsRequest(underlying=FEED, interval_ns=interval, page_size=1000)
            )
            by_start: dict[int, list[tuple[float, float]]] = {}
            for each in venue.traded:
                start = each["T"] * 1_000_000 // interval * interval
                by_start.setdefault(start, []).append((float(each["p"]), float(each["q"])))
            made = [(bar.start_ns, bar.open, bar.high, bar.low, bar.close) for bar in listed.bars]
            assert made == [
                (start, rows[0][0], max(rows)[0], min(rows)[0], rows[-1][0])
                for start, rows in by_start.items()
            ]
            volumes = [sum(size for _, size in rows) for rows in by_start.values()]
            assert [bar.volume for bar in listed.bars] == pytest.approx(volumes)
            assert {bar.origin for bar in listed.bars} == {chain_pb2.BAR_ORIGIN_TRADES}
            assert {bar.source for bar in listed.bars} == {FEED}
        paged: list[chain_pb2.Bar] = []
        token = ""
        while not paged or token:
            page = await stub.ListBars(
                pb.ListBarsRequest(underlying=FEED, interval_ns=7 * second, page_size=3, page_token=token)
            )
            paged += page.bars
            token = page.next_page_token
        assert paged == list(listed.bars)
        asked = pb.GetRealisedVolatilityRequest(
            underlying=FEED, interval_ns=7 * second, bars_a_year=4_505_142, windows=[5]
        )
        answer = await stub.GetRealisedVolatility(asked)
        assert (answer.origin, answer.bars) == (chain_pb2.BAR_ORIGIN_TRADES, len(paged))
        assert all(each.vol > 0 for each in answer.vols if not each.reason)
        assert sum(not each.reason for each in answer.vols) >= 5
