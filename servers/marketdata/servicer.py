"""MarketDataService over gRPC: requests checked, rows turned into messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy import Connection

from skewline.servers.marketdata import quarantine_listing
from skewline.servers.marketdata.bars.listing import BarList
from skewline.servers.marketdata.bars.recording import BarRecorder
from skewline.servers.marketdata.book_answers import BookAnswers
from skewline.servers.marketdata.chain_store import ChainStore
from skewline.servers.marketdata.instrument_master import instrument_of
from skewline.servers.marketdata.intake import Intake, Learnt
from skewline.servers.marketdata.live.feeds import Feeds
from skewline.servers.marketdata.publishing import ChainPublisher
from skewline.servers.marketdata.realised.question import check_question, read_prices, realised_volatility
from skewline.servers.marketdata.replaying import Replays
from skewline.servers.marketdata.retention import Retention
from skewline.servers.marketdata.validation.action_schema import check_actions, is_date
from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.instruments import parse_osi
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.streaming import Feed, stream_subscription
from skewline.servers.runtime.validation import Validation
from skewline.storage.marketdata import chains, corporate_actions, instruments
from skewline.storage.marketdata.chains import ChainQuery
from skewline.storage.marketdata.corporate_actions import ActionQuery
from skewline.storage.marketdata.instruments import InstrumentQuery, InstrumentRow
from skewline.v1 import (
    chain_pb2,
    corporate_action_pb2,
    feed_pb2,
    instrument_pb2,
    market_data_service_pb2_grpc,
)
from skewline.v1 import market_data_service_pb2 as pb

Context = Any
_LONGEST: Final = 128
_MOST_ACTIONS: Final = 1000


class MarketDataServicer(market_data_service_pb2_grpc.MarketDataServiceServicer):
    """The methods of the contract."""

    def __init__(
        self,
        *,
        processor: Processor,
        intake: Intake,
        publisher: ChainPublisher,
        bars: BarRecorder,
        store: ChainStore,
        retention: Retention,
        chains_feed: Feed[chain_pb2.OptionChain],
        notices: Feed[feed_pb2.FeedNotice],
        replays: Replays,
        feeds: Feeds,
        books: BookAnswers,
    ) -> None:
        self._processor = processor
        self._intake = intake
        self._publisher = publisher
        self._bars = bars
        self._store = store
        self._retention = retention
        self._chains_feed = chains_feed
        self._notices = notices
        self._replays = replays
        self._feeds = feeds
        self._books = books

    async def GetChain(self, request: pb.GetChainRequest, context: Context) -> pb.GetChainResponse:
        """By id, or the newest of an underlying."""
        validation = Validation()
        if not request.snapshot_id:
            validation.required("underlying", request.underlying)
            validation.non_negative("as_of_ns", request.as_of_ns)
        validation.raise_if_any()
        snapshot_id = request.snapshot_id or await self._processor.read(
            lambda connection: chains.newest_id(connection, request.underlying, request.as_of_ns)
        )
        found = await self._store.get(snapshot_id) if snapshot_id else None
        if found is None:
            raise NotFound("chain", request.snapshot_id or request.underlying)
        return found

    async def ListChains(self, request: pb.ListChainsRequest, context: Context) -> pb.ListChainsResponse:
        """Summaries, newest first."""
        validation = Validation()
        if request.status:
            validation.enum("status", request.status, chain_pb2.ChainStatus)
        validation.raise_if_any()
        _check_times(request.from_ns, request.to_ns)
        query = ChainQuery(request.underlying, request.status, request.from_ns, request.to_ns)
        page = page_of(request.page_size, request.page_token, repr(query))
        after = (int(page.after[0]), str(page.after[1])) if page.after else None
        listed = await self._processor.read(
            lambda connection: chains.summaries(connection, query, after, page.size + 1)
        )
        shown, token = cut(listed, page, repr(query), lambda one: (one.time_ns, one.snapshot_id))
        return pb.ListChainsResponse(chains=shown, next_page_token=token)

    async def ListBars(self, request: pb.ListBarsRequest, context: Context) -> pb.ListBarsResponse:
        """Bars, oldest first."""
        validation = Validation()
        validation.required("underlying", request.underlying)
        validation.positive("interval_ns", request.interval_ns)
        validation.raise_if_any()
        _check_times(request.from_ns, request.to_ns)
        listed = BarList.of(request)
        return await self._processor.read(listed.answer)

    async def RecordBars(self, request: pb.RecordBarsRequest, context: Context) -> pb.RecordBarsResponse:
        """All or, if one is wrong, none."""
        return await self._bars.answer(request)

    async def GetRealisedVolatility(
        self, request: pb.GetRealisedVolatilityRequest, context: Context
    ) -> pb.GetRealisedVolatilityResponse:
        """By estimator and window; the newest bar may still go on."""
        check_question(request)
        prices = await self._processor.read(lambda connection: read_prices(connection, request))
        # models take their time, and the event loop must not wait for them
        return await asyncio.to_thread(realised_volatility, request, prices)

    async def GetInstrument(
        self, request: pb.GetInstrumentRequest, context: Context
    ) -> pb.GetInstrumentResponse:
        """By OSI symbol, padded or not, or exchange-native id."""
        validation = Validation()
        validation.required("instrument_id", request.instrument_id)
        validation.raise_if_any()
        spellings = _spellings(request.instrument_id)

        def read(connection: Connection) -> InstrumentRow | None:
            found = (instruments.instrument(connection, spelling) for spelling in spellings)
            return next((row for row in found if row is not None), None)

        row = await self._processor.read(read)
        if row is None:
            raise NotFound("instrument", request.instrument_id)
        return pb.GetInstrumentResponse(instrument=instrument_of(row))

    async def ListInstruments(
        self, request: pb.ListInstrumentsRequest, context: Context
    ) -> pb.ListInstrumentsResponse:
        """Entries by id."""
        validation = Validation()
        if request.right:
            validation.enum("right", request.right, instrument_pb2.OptionRight)
        listed = request.expiry_date
        validation.check(not listed or is_date(listed), "expiry_date", f"must be YYYY-MM-DD, not {listed!r}")
        validation.raise_if_any()
        query = InstrumentQuery(request.underlying, request.expiry_date, request.right)
        page = page_of(request.page_size, request.page_token, repr(query))
        after = str(page.after[0]) if page.after else ""
        rows = await self._processor.read(
            lambda connection: instruments.instruments(connection, query, after, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row.instrument_id,))
        return pb.ListInstrumentsResponse(
            instruments=[instrument_of(row) for row in shown], next_page_token=token
        )

    async def ListCorporateActions(
        self, request: pb.ListCorporateActionsRequest, context: Context
    ) -> pb.ListCorporateActionsResponse:
        """By effect, oldest first."""
        validation = Validation()
        if request.kind:
            validation.enum("kind", request.kind, corporate_action_pb2.CorporateActionKind)
        validation.raise_if_any()
        _check_times(request.from_ns, request.to_ns)
        query = ActionQuery(request.underlying, request.kind, request.from_ns, request.to_ns)
        page = page_of(request.page_size, request.page_token, repr(query))
        after = (int(page.after[0]), str(page.after[1])) if page.after else None
        listed = await self._processor.read(
            lambda connection: corporate_actions.actions(connection, query, after, page.size + 1)
        )
        shown, token = cut(listed, page, repr(query), lambda one: (one.effective_ns, one.action_id))
        return pb.ListCorporateActionsResponse(corporate_actions=shown, next_page_token=token)

    async def RecordCorporateActions(
        self, request: pb.RecordCorporateActionsRequest, context: Context
    ) -> pb.RecordCorporateActionsResponse:
        """All or, if one is wrong, none."""
        received_ns = time.time_ns()
        validation = Validation()
        if validation.required("request_id", request.request_id):
            validation.max_length("request_id", request.request_id, _LONGEST)
        told = request.corporate_actions
        if validation.required("corporate_actions", told):
            validation.max_length("corporate_actions", told, _MOST_ACTIONS)
        check_actions(told, validation)
        validation.raise_if_any()

        def work(connection: Connection) -> tuple[Learnt, tuple[Outgoing, ...]]:
            learnt = self._intake.learn(connection, told, received_ns)
            return learnt, learnt.outgoing

        async with self._processor.exclusive():
            learnt = await self._processor.transact(work)
        return pb.RecordCorporateActionsResponse(
            request_id=request.request_id,
            recorded=learnt.fresh,
            known=len(told) - len(learnt.fresh),
            late=learnt.late,
        )

    async def StreamChains(
        self, requests: AsyncIterator[pb.StreamChainsRequest], context: Context
    ) -> AsyncIterator[pb.StreamChainsResponse]:
        """Live chains."""
        async for response in stream_subscription(self._chains_feed, requests, pb.StreamChainsResponse):
            yield response

    async def PublishChains(
        self, requests: AsyncIterator[pb.PublishChainsRequest], context: Context
    ) -> AsyncIterator[pb.PublishChainsResponse]:
        """Chains of a feed handler: each judged, stored, published and answered."""
        async for response in self._publisher.answers(requests):
            yield response

    async def ListQuarantine(
        self, request: pb.ListQuarantineRequest, context: Context
    ) -> pb.ListQuarantineResponse:
        """What was not let through, newest first."""
        return await quarantine_listing.listed(self._processor, request)

    async def GetQuarantineEntry(
        self, request: pb.GetQuarantineEntryRequest, context: Context
    ) -> pb.GetQuarantineEntryResponse:
        """One entry with its content."""
        return await quarantine_listing.entry(self._processor, request.entry_id)

    async def ListQuarantineCounts(
        self, request: pb.ListQuarantineCountsRequest, context: Context
    ) -> pb.ListQuarantineCountsResponse:
        """How much was not let through."""
        return await quarantine_listing.counted(self._processor, request)

    async def ApplyRetention(
        self, request: pb.ApplyRetentionRequest, context: Context
    ) -> pb.ApplyRetentionResponse:
        """Delete what the settings do not keep."""
        return await self._retention.apply(dry_run=request.dry_run)

    async def StartReplay(self, request: pb.StartReplayRequest, context: Context) -> pb.StartReplayResponse:
        """Begin, or find, a replay."""
        return pb.StartReplayResponse(replay=await self._replays.begin(request))

    async def StopReplay(self, request: pb.StopReplayRequest, context: Context) -> pb.StopReplayResponse:
        """End a replay after the snapshot in hand."""
        return pb.StopReplayResponse(replay=await self._replays.end(request.replay_id))

    async def GetReplay(self, request: pb.GetReplayRequest, context: Context) -> pb.GetReplayResponse:
        """Its state now."""
        return pb.GetReplayResponse(replay=await self._replays.get(request.replay_id))

    async def WatchReplay(
        self, request: pb.WatchReplayRequest, context: Context
    ) -> AsyncIterator[pb.WatchReplayResponse]:
        """Its state at each step."""
        async for state in self._replays.watch(request.replay_id):
            yield pb.WatchReplayResponse(replay=state)

    async def StartFeed(self, request: pb.StartFeedRequest, context: Context) -> pb.StartFeedResponse:
        """Begin, or find, a live feed."""
        return pb.StartFeedResponse(feed=await self._feeds.begin(request))

    async def StopFeed(self, request: pb.StopFeedRequest, context: Context) -> pb.StopFeedResponse:
        """End a live feed."""
        validation = Validation()
        validation.required("feed", request.feed)
        validation.raise_if_any()
        return pb.StopFeedResponse(feed=await self._feeds.end(request.feed))

    async def ListFeeds(self, request: pb.ListFeedsRequest, context: Context) -> pb.ListFeedsResponse:
        """How the feeds do, by name."""
        page = page_of(request.page_size, request.page_token, "feeds")
        after = str(page.after[0]) if page.after else ""
        listed = [feed for feed in self._feeds.listed() if feed.feed > after]
        shown, token = cut(listed[: page.size + 1], page, "feeds", lambda feed: (feed.feed,))
        return pb.ListFeedsResponse(feeds=shown, next_page_token=token)

    async def StreamFeeds(
        self, requests: AsyncIterator[pb.StreamFeedsRequest], context: Context
    ) -> AsyncIterator[pb.StreamFeedsResponse]:
        """Notices of live feeds."""
        async for response in stream_subscription(self._notices, requests, pb.StreamFeedsResponse):
            yield response

    async def GetOrderBook(
        self, request: pb.GetOrderBookRequest, context: Context
    ) -> pb.GetOrderBookResponse:
        """The current one, or one as of a time."""
        return await self._books.order_book(request)

    async def StreamOrderBooks(
        self, requests: AsyncIterator[pb.StreamOrderBooksRequest], context: Context
    ) -> AsyncIterator[pb.StreamOrderBooksResponse]:
        """Live order books."""
        async for response in stream_subscription(self._books.books, requests, pb.StreamOrderBooksResponse):
            yield response

    async def ListTrades(self, request: pb.ListTradesRequest, context: Context) -> pb.ListTradesResponse:
        """Trades, oldest first."""
        return await self._books.trades(request)

    async def StreamTrades(
        self, requests: AsyncIterator[pb.StreamTradesRequest], context: Context
    ) -> AsyncIterator[pb.StreamTradesResponse]:
        """Live trades."""
        async for response in stream_subscription(self._books.tape, requests, pb.StreamTradesResponse):
            yield response


def _check_times(from_ns: int, to_ns: int) -> None:
    validation = Validation()
    validation.non_negative("from_ns", from_ns)
    validation.non_negative("to_ns", to_ns)
    validation.check(not to_ns or from_ns < to_ns, "to_ns", "must be after from_ns, or 0 for the end")
    validation.raise_if_any()


def _spellings(instrument_id: str) -> tuple[str, ...]:
    try:
        return (instrument_id, str(parse_osi(instrument_id)))
    except ValueError:
        return (instrument_id,)
