"""How a feed does: its state with reason and since when, and what it brought."""

from __future__ import annotations

from skewline.servers.marketdata.live.source import LiveSource, MarketClosed, SourceFault, Stalled
from skewline.v1 import chain_pb2, feed_pb2, order_book_pb2

CONNECTING = feed_pb2.FEED_STATE_CONNECTING
LIVE = feed_pb2.FEED_STATE_LIVE
STALE = feed_pb2.FEED_STATE_STALE
DOWN = feed_pb2.FEED_STATE_DOWN
CLOSED = feed_pb2.FEED_STATE_CLOSED
STOPPED = feed_pb2.FEED_STATE_STOPPED


class Health:
    """A feed's state. Each change says whether it is one that subscribers must be told."""

    def __init__(self, feed: str, source: LiveSource, now_ns: int, *, from_settings: bool) -> None:
        self._feed = feed_pb2.Feed(
            feed=feed,
            underlying=source.underlying,
            state=CONNECTING,
            since_ns=now_ns,
            provenance=source.provenance,
            from_settings=from_settings,
        )

    @property
    def state(self) -> feed_pb2.FeedState.ValueType:
        """Its state."""
        return self._feed.state

    def now(self) -> feed_pb2.Feed:
        """All of it, as it is now."""
        copy = feed_pb2.Feed()
        copy.CopyFrom(self._feed)
        return copy

    def connects(self) -> None:
        """A connection is opened; whether it holds is seen by what it brings."""
        self._feed.connections += 1

    def live(self, now_ns: int) -> bool:
        """Something new came."""
        self._feed.received_ns = now_ns
        return self._change(LIVE, now_ns)

    def answered(self, now_ns: int) -> bool:
        """The venue answered without anything new: a feed that was down or closed is no longer.

        It is live if it ever brought anything: until then nothing it has is as new as it should be.
        """
        self._feed.unchanged += 1
        if self.state in (LIVE, STALE):
            return False
        return self._change(LIVE if self._feed.received_ns else CONNECTING, now_ns)

    def stale(self, silent_s: float, now_ns: int) -> bool:
        """Nothing new for too long."""
        return self._change(STALE, now_ns, "NO_NEWS", f"nothing new for {silent_s:.3g} s")

    def stalled(self, heard: Stalled, now_ns: int) -> bool:
        """The venue says that it cannot bring what it should."""
        return self._change(STALE, now_ns, heard.reason, heard.detail)

    def restored(self, now_ns: int) -> bool:
        """It can again."""
        return self._change(LIVE if self._feed.received_ns else CONNECTING, now_ns)

    def down(self, fault: SourceFault, now_ns: int) -> bool:
        """The connection failed or broke."""
        return self._change(DOWN, now_ns, fault.reason, fault.detail)

    def closed(self, heard: MarketClosed, now_ns: int) -> bool:
        """The market is closed."""
        changed = self._change(CLOSED, now_ns, "MARKET_CLOSED", heard.detail)
        self._feed.expected_ns = heard.until_ns
        return changed

    def stopped(self, now_ns: int) -> bool:
        """It was stopped by request."""
        return self._change(STOPPED, now_ns)

    def judged(self, summary: chain_pb2.ChainSummary) -> None:
        """A chain that it brought was accepted or rejected."""
        if summary.provenance:
            # A venue may have to fall back on delayed data.
            self._feed.provenance = summary.provenance
        self._feed.data_time_ns = max(self._feed.data_time_ns, summary.time_ns)
        if summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED:
            self._feed.accepted += 1
        else:
            self._feed.rejected += 1

    def recorded(self, bars: int) -> None:
        """Bars that it brought were stored."""
        self._feed.bars += bars

    def brought_book(self, book: order_book_pb2.OrderBook) -> None:
        """An order book."""
        self._feed.order_books += 1
        self._feed.data_time_ns = max(self._feed.data_time_ns, book.time_ns)

    def brought_trades(self, batch: order_book_pb2.TradeBatch, count: int) -> None:
        """Trades, `count` of which were new."""
        self._feed.trades += count
        self._feed.data_time_ns = max(self._feed.data_time_ns, batch.time_ns[-1])

    def missed(self) -> None:
        """A gap was noticed."""
        self._feed.gaps += 1

    def _change(
        self, state: feed_pb2.FeedState.ValueType, now_ns: int, reason: str = "", detail: str = ""
    ) -> bool:
        feed = self._feed
        changed = (feed.state, feed.reason) != (state, reason)
        if feed.state != state:
            feed.since_ns = now_ns
        feed.state, feed.reason, feed.detail, feed.expected_ns = state, reason, detail, 0
        return changed
