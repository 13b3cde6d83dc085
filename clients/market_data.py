"""MarketDataService: chains, bars, instruments, replays, live feeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from skewline.clients import methods
from skewline.clients.errors import bad_input
from skewline.clients.questions import Ask, Call, Listing, Subscribe, Watch, fresh_request_id, names
from skewline.clients.values import Instant, ns_of
from skewline.v1 import (
    chain_pb2,
    corporate_action_pb2,
    feed_pb2,
    instrument_pb2,
    order_book_pb2,
    quarantine_pb2,
)
from skewline.v1 import market_data_service_pb2 as rpc

_ANY_KIND = corporate_action_pb2.CORPORATE_ACTION_KIND_UNSPECIFIED


def _get_chain(
    underlying: str = "", *, snapshot_id: str = "", as_of: Instant = 0
) -> Call[rpc.GetChainResponse, rpc.GetChainResponse]:
    """One chain and its summary: by `snapshot_id`, or the newest of `underlying`, `as_of` a data time."""
    request = rpc.GetChainRequest(
        snapshot_id=snapshot_id, underlying=underlying, as_of_ns=ns_of("as_of", as_of)
    )
    return Call("GetChain", request, lambda r: r)


def _list_chains(
    *,
    underlying: str = "",
    status: chain_pb2.ChainStatus.ValueType = chain_pb2.CHAIN_STATUS_UNSPECIFIED,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListChainsResponse, chain_pb2.ChainSummary]:
    """Snapshots stored, newest first; data time from `since` on and before `until`."""
    request = rpc.ListChainsRequest(
        underlying=underlying,
        status=status,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListChains", request, lambda r: r.chains, limit)


def _list_bars(
    underlying: str,
    interval: timedelta,
    *,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListBarsResponse, chain_pb2.Bar]:
    """Bars of the underlying's price, oldest first: recorded ones if there are any, else of spots seen."""
    request = rpc.ListBarsRequest(
        underlying=underlying,
        interval_ns=interval // timedelta(microseconds=1) * 1000,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListBars", request, lambda r: r.bars, limit)


def _record_bars(
    series: chain_pb2.BarSeries, *, request_id: str = ""
) -> Call[rpc.RecordBarsResponse, rpc.RecordBarsResponse]:
    """Store bars, at most 5000, which replace those of the same start; all or, if one is wrong, none."""
    request = rpc.RecordBarsRequest(request_id=request_id or fresh_request_id(), series=series)
    return Call("RecordBars", request, lambda r: r)


def _get_realised_volatility(
    underlying: str,
    *,
    interval: timedelta = timedelta(0),
    bars_a_year: float = 0.0,
    windows: Sequence[int] = (),
    estimators: Sequence[rpc.VolatilityEstimator.ValueType] = (),
    as_of: Instant = 0,
) -> Call[rpc.GetRealisedVolatilityResponse, rpc.GetRealisedVolatilityResponse]:
    """Realised volatility over `windows` of bars, and forecasts; bars of a day unless `interval` is given."""
    request = rpc.GetRealisedVolatilityRequest(
        underlying=underlying,
        interval_ns=interval // timedelta(microseconds=1) * 1000,
        bars_a_year=bars_a_year,
        windows=_counts("windows", windows),
        estimators=estimators,
        as_of_ns=ns_of("as_of", as_of),
    )
    return Call("GetRealisedVolatility", request, lambda r: r)


def _counts(name: str, counts: Sequence[int]) -> Sequence[int]:
    """Counts that the contract can hold. Raises SkewlineError."""
    for count in counts:
        if not 0 <= count < 2**32:
            raise bad_input(name, f"must be counts, not {count}")
    return counts


def _get_instrument(
    instrument_id: str,
) -> Call[rpc.GetInstrumentResponse, instrument_pb2.Instrument]:
    """One entry of the instrument master, by OSI symbol (padded or not) or exchange-native id."""
    request = rpc.GetInstrumentRequest(instrument_id=instrument_id)
    return Call("GetInstrument", request, lambda r: r.instrument)


def _list_instruments(
    *,
    underlying: str = "",
    expiry_date: str = "",
    right: instrument_pb2.OptionRight.ValueType = instrument_pb2.OPTION_RIGHT_UNSPECIFIED,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListInstrumentsResponse, instrument_pb2.Instrument]:
    """Entries of the instrument master, by id; `expiry_date` is YYYY-MM-DD."""
    request = rpc.ListInstrumentsRequest(
        underlying=underlying, expiry_date=expiry_date, right=right, page_size=page_size
    )
    return Listing("ListInstruments", request, lambda r: r.instruments, limit)


def _list_corporate_actions(
    *,
    underlying: str = "",
    kind: corporate_action_pb2.CorporateActionKind.ValueType = _ANY_KIND,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListCorporateActionsResponse, corporate_action_pb2.CorporateAction]:
    """Corporate actions known, by effect, oldest first; in effect from `since` on and before `until`."""
    request = rpc.ListCorporateActionsRequest(
        underlying=underlying,
        kind=kind,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListCorporateActions", request, lambda r: r.corporate_actions, limit)


def _record_corporate_actions(
    actions: Sequence[corporate_action_pb2.CorporateAction], *, request_id: str = ""
) -> Call[rpc.RecordCorporateActionsResponse, rpc.RecordCorporateActionsResponse]:
    """Make corporate actions known; all or, if one is wrong, none."""
    request = rpc.RecordCorporateActionsRequest(
        request_id=request_id or fresh_request_id(), corporate_actions=actions
    )
    return Call("RecordCorporateActions", request, lambda r: r)


def _stream_chains(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[chain_pb2.OptionChain]:
    """Live chains: the current one of each underlying, then updates; conflated when the caller is behind."""
    return Subscribe(
        "StreamChains",
        rpc.StreamChainsRequest,
        chain_pb2.OptionChain,
        ("snapshot", "update"),
        names(underlyings),
        resume_after,
    )


def _list_quarantine(
    *,
    underlying: str = "",
    reason: str = "",
    kind: quarantine_pb2.QuarantineKind.ValueType = quarantine_pb2.QUARANTINE_KIND_UNSPECIFIED,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListQuarantineResponse, quarantine_pb2.QuarantineEntry]:
    """What was not let through, newest data time first, without its content; `reason` is e.g. "CROSSED"."""
    request = rpc.ListQuarantineRequest(
        underlying=underlying,
        reason=reason,
        kind=kind,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListQuarantine", request, lambda r: r.entries, limit)


def _get_quarantine_entry(
    entry_id: str,
) -> Call[rpc.GetQuarantineEntryResponse, rpc.GetQuarantineEntryResponse]:
    """One entry of the quarantine with its content: a chain, or the bytes of a message."""
    return Call("GetQuarantineEntry", rpc.GetQuarantineEntryRequest(entry_id=entry_id), lambda r: r)


def _list_quarantine_counts(
    *,
    underlying: str = "",
    reason: str = "",
    kind: quarantine_pb2.QuarantineKind.ValueType = quarantine_pb2.QUARANTINE_KIND_UNSPECIFIED,
    since: Instant = 0,
    until: Instant = 0,
    interval: timedelta = timedelta(0),
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListQuarantineCountsResponse, quarantine_pb2.QuarantineCount]:
    """How much was not let through, by start of the interval of data time, underlying, reason and kind."""
    request = rpc.ListQuarantineCountsRequest(
        underlying=underlying,
        reason=reason,
        kind=kind,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        interval_ns=interval // timedelta(microseconds=1) * 1000,
        page_size=page_size,
    )
    return Listing("ListQuarantineCounts", request, lambda r: r.counts, limit)


def _apply_retention(
    *, dry_run: bool = False
) -> Call[rpc.ApplyRetentionResponse, rpc.ApplyRetentionResponse]:
    """Delete what the settings do not keep, or with `dry_run` only say what would go."""
    request = rpc.ApplyRetentionRequest(dry_run=dry_run)
    return Call("ApplyRetention", request, lambda r: r)


def _start_replay(
    source: str,
    *,
    symbols: Sequence[str] = (),
    from_date: str = "",
    to_date: str = "",
    speed: float = 0.0,
    seed: int = 0,
    simulated_steps: int = 0,
    limit: int = 0,
    request_id: str = "",
) -> Call[rpc.StartReplayResponse, rpc.Replay]:
    """Start replaying `source` through the whole pipeline; see StartReplayRequest for what 0 and "" mean."""
    request = rpc.StartReplayRequest(
        request_id=request_id or fresh_request_id(),
        source=source,
        symbols=names(symbols),
        from_date=from_date,
        to_date=to_date,
        speed=speed,
        seed=seed,
        simulated_steps=simulated_steps,
        limit=limit,
    )
    return Call("StartReplay", request, lambda r: r.replay)


def _stop_replay(replay_id: str) -> Call[rpc.StopReplayResponse, rpc.Replay]:
    """Stop a replay after the snapshot in hand."""
    return Call("StopReplay", rpc.StopReplayRequest(replay_id=replay_id), lambda r: r.replay)


def _get_replay(replay_id: str) -> Call[rpc.GetReplayResponse, rpc.Replay]:
    """State of a replay now."""
    return Call("GetReplay", rpc.GetReplayRequest(replay_id=replay_id), lambda r: r.replay)


def _watch_replay(replay_id: str) -> Watch[rpc.WatchReplayResponse, rpc.Replay]:
    """State of a replay at each step, until it ends."""
    return Watch("WatchReplay", rpc.WatchReplayRequest(replay_id=replay_id), lambda r: r.replay)


def _publishing(chain: chain_pb2.OptionChain) -> rpc.PublishChainsRequest:
    return rpc.PublishChainsRequest(request_id=fresh_request_id(), chain=chain)


def _published(response: rpc.PublishChainsResponse) -> chain_pb2.ChainSummary:
    return response.summary


_PUBLISH_CHAINS = Ask(
    "PublishChains",
    "For feed handlers: chains in, what became of each out.",
    _publishing,
    _published,
)


def _start_feed(feed: str, *, request_id: str = "") -> Call[rpc.StartFeedResponse, feed_pb2.Feed]:
    """Start a live feed, such as "cboe:SPX"; it runs until it is stopped, also over restarts."""
    request = rpc.StartFeedRequest(request_id=request_id or fresh_request_id(), feed=feed)
    return Call("StartFeed", request, lambda r: r.feed)


def _stop_feed(feed: str) -> Call[rpc.StopFeedResponse, feed_pb2.Feed]:
    """Stop a live feed; one from the settings begins again at the next start of the service."""
    return Call("StopFeed", rpc.StopFeedRequest(feed=feed), lambda r: r.feed)


def _list_feeds(
    *, limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListFeedsResponse, feed_pb2.Feed]:
    """The live feeds that run, and how they do, by name."""
    return Listing("ListFeeds", rpc.ListFeedsRequest(page_size=page_size), lambda r: r.feeds, limit)


def _stream_feeds(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[feed_pb2.FeedNotice]:
    """How live feeds do: the newest notice of each, then every change of state and every gap."""
    return Subscribe(
        "StreamFeeds",
        rpc.StreamFeedsRequest,
        feed_pb2.FeedNotice,
        ("snapshot", "update"),
        names(underlyings),
        resume_after,
    )


def _get_order_book(
    instrument_id: str, *, depth: int = 0, as_of: Instant = 0
) -> Call[rpc.GetOrderBookResponse, rpc.GetOrderBookResponse]:
    """The order book of "binance:BTCUSDT" with `depth` levels a side at most, and how its feed does.

    With `as_of`, a venue's time, it is the newest one stored then.
    """
    [levels] = _counts("depth", [depth])
    request = rpc.GetOrderBookRequest(
        instrument_id=instrument_id, depth=levels, as_of_ns=ns_of("as_of", as_of)
    )
    return Call("GetOrderBook", request, lambda r: r)


def _stream_order_books(
    instruments: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[order_book_pb2.OrderBook]:
    """Live order books: the current one of each instrument, then newer ones; conflated when one is behind."""
    return Subscribe(
        "StreamOrderBooks",
        rpc.StreamOrderBooksRequest,
        order_book_pb2.OrderBook,
        ("snapshot", "update"),
        names(instruments),
        resume_after,
    )


def _list_trades(
    instrument_id: str,
    *,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 1000,
) -> Listing[rpc.ListTradesResponse, order_book_pb2.TradeBatch]:
    """Trades stored of an instrument, oldest first, a page at a time; `limit` is of pages."""
    request = rpc.ListTradesRequest(
        instrument_id=instrument_id,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListTrades", request, lambda r: [r.trades] if r.trades.trade_id else [], limit)


def _stream_trades(
    instruments: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[order_book_pb2.TradeBatch]:
    """Live trades: the newest batch of each instrument, then each as it was stored; none is left out."""
    return Subscribe(
        "StreamTrades",
        rpc.StreamTradesRequest,
        order_book_pb2.TradeBatch,
        ("snapshot", "update"),
        names(instruments),
        resume_after,
    )


class AsyncMarketDataService(methods.AsyncService):
    """MarketDataService for asyncio."""

    get_chain = methods.async_call(_get_chain)
    list_chains = methods.async_listing(_list_chains)
    list_bars = methods.async_listing(_list_bars)
    record_bars = methods.async_call(_record_bars)
    get_realised_volatility = methods.async_call(_get_realised_volatility)
    get_instrument = methods.async_call(_get_instrument)
    list_instruments = methods.async_listing(_list_instruments)
    list_corporate_actions = methods.async_listing(_list_corporate_actions)
    record_corporate_actions = methods.async_call(_record_corporate_actions)
    stream_chains = methods.async_subscription(_stream_chains)
    publish_chains = methods.async_exchange(_PUBLISH_CHAINS)
    list_quarantine = methods.async_listing(_list_quarantine)
    get_quarantine_entry = methods.async_call(_get_quarantine_entry)
    list_quarantine_counts = methods.async_listing(_list_quarantine_counts)
    apply_retention = methods.async_call(_apply_retention)
    start_replay = methods.async_call(_start_replay)
    stop_replay = methods.async_call(_stop_replay)
    get_replay = methods.async_call(_get_replay)
    watch_replay = methods.async_watch(_watch_replay)
    start_feed = methods.async_call(_start_feed)
    stop_feed = methods.async_call(_stop_feed)
    list_feeds = methods.async_listing(_list_feeds)
    stream_feeds = methods.async_subscription(_stream_feeds)
    get_order_book = methods.async_call(_get_order_book)
    stream_order_books = methods.async_subscription(_stream_order_books)
    list_trades = methods.async_listing(_list_trades)
    stream_trades = methods.async_subscription(_stream_trades)


class MarketDataService(methods.Service):
    """MarketDataService with blocking calls."""

    get_chain = methods.call(_get_chain)
    list_chains = methods.listing(_list_chains)
    list_bars = methods.listing(_list_bars)
    record_bars = methods.call(_record_bars)
    get_realised_volatility = methods.call(_get_realised_volatility)
    get_instrument = methods.call(_get_instrument)
    list_instruments = methods.listing(_list_instruments)
    list_corporate_actions = methods.listing(_list_corporate_actions)
    record_corporate_actions = methods.call(_record_corporate_actions)
    stream_chains = methods.subscription(_stream_chains)
    publish_chains = methods.exchange(_PUBLISH_CHAINS)
    list_quarantine = methods.listing(_list_quarantine)
    get_quarantine_entry = methods.call(_get_quarantine_entry)
    list_quarantine_counts = methods.listing(_list_quarantine_counts)
    apply_retention = methods.call(_apply_retention)
    start_replay = methods.call(_start_replay)
    stop_replay = methods.call(_stop_replay)
    get_replay = methods.call(_get_replay)
    watch_replay = methods.watch(_watch_replay)
    start_feed = methods.call(_start_feed)
    stop_feed = methods.call(_stop_feed)
    list_feeds = methods.listing(_list_feeds)
    stream_feeds = methods.subscription(_stream_feeds)
    get_order_book = methods.call(_get_order_book)
    stream_order_books = methods.subscription(_stream_order_books)
    list_trades = methods.listing(_list_trades)
    stream_trades = methods.subscription(_stream_trades)
