"""Binance's order books and trades, spot and futures: a book kept in step, trades without a hole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from skewline.servers.marketdata.live.binance_book import BookKeeping
from skewline.servers.marketdata.live.binance_market import Market, Questions
from skewline.servers.marketdata.live.binance_payload import Malformed, Message, shown
from skewline.servers.marketdata.live.binance_trades import TradeKeeping
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.http import Http
from skewline.servers.marketdata.live.merged import Merged, Received, merged
from skewline.servers.marketdata.live.source import Heard, Missed, Patience, SourceFault, Unchanged
from skewline.servers.marketdata.live.trade_sync import TradeSync
from skewline.servers.marketdata.live.websocket import conversation
from skewline.servers.runtime.settings.live import BinanceSettings
from skewline.v1 import common_pb2

LastTrade = Callable[[str], Awaitable[int]]
"""The id of the newest trade that was stored of an instrument; 0 if there is none."""

_SHUTDOWN: Final = "serverShutdown"


class BinanceSource:
    """The book and trades of one symbol; `feed`, "binance:BTCUSDT", is the instrument's id.

    `http` is shared by all that ask the venue. Trades that were missed, also while the service was down,
    are asked for by their ids.
    """

    provenance = common_pb2.PROVENANCE_LIVE

    def __init__(
        self,
        feed: str,
        market: Market,
        settings: BinanceSettings,
        http: Http,
        clock: Clock,
        last_trade: LastTrade,
    ) -> None:
        self.underlying = feed
        self.patience = Patience(
            stale_after_s=settings.stale_after_s,
            reconnect_after_s=settings.silent_after_s,
            # Books came and went unseen.
            gap_after_s=0.0,
        )
        self._symbol = feed.partition(":")[2]
        self._market = market
        self._settings = settings
        self._http = http
        self._clock = clock
        self._last_trade = last_trade
        # Over connections, where nobody stores them: what comes first on the next one tells what was missed.
        self._trades: TradeSync | None = None

    async def stream(self) -> AsyncGenerator[Heard, None]:
        """One connection, or two where trades come from elsewhere; begun from a snapshot of the book."""
        # What was heard and not stored, for whatever reason, is asked for again.
        stored = await self._last_trade(self.underlying)
        if stored or self._trades is None:
            self._trades = TradeSync(stored or None)
        settings = self._settings
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self._http.session())
            connections = [
                await stack.enter_async_context(
                    conversation(session, url, settings.timeout_s, ping_s=settings.ping_s)
                )
                for url in self._urls()
            ]
            messages = await stack.enter_async_context(merged(connections, self._clock))
            questions = Questions(self._market, self._symbol, settings.snapshot_levels, self._http, session)
            book = BookKeeping(self.underlying, settings, questions, self._clock)
            stack.push_async_callback(book.end)
            trades = TradeKeeping(self.underlying, settings, questions, self._clock, self._trades)
            stack.push_async_callback(trades.end)
            listening = _Listening(self._symbol, self._market, book, trades)
            while True:
                for heard in await listening.interval(messages, settings.interval_s, self._clock):
                    yield heard

    def _urls(self) -> Sequence[str]:
        name = self._symbol.lower()
        of_url: dict[str, list[str]] = {}
        of_url.setdefault(self._settings.ws_url, []).extend((f"{name}@depth@100ms", f"{name}@bookTicker"))
        of_url.setdefault(self._settings.trades_ws_url, []).append(f"{name}@{self._market.trade_stream}")
        return [f"{url}?streams={'/'.join(streams)}" for url, streams in of_url.items()]


class _Listening:
    """Sends each message where it belongs."""

    def __init__(self, symbol: str, market: Market, book: BookKeeping, trades: TradeKeeping) -> None:
        self._symbol = symbol
        self._market = market
        self._book = book
        self._trades = trades
        self._unreadable: list[str] = []

    async def interval(self, messages: Merged, seconds: float, clock: Clock) -> list[Heard]:
        """What an interval brought. Raises SourceFault."""
        due = clock.monotonic() + seconds
        word = False
        while (left := due - clock.monotonic()) > 0:
            received = await messages.next(left)
            if received is not None:
                word = True
                self._on(received)
        heard: list[Heard] = []
        if self._unreadable:
            count, first = len(self._unreadable), self._unreadable[0]
            self._unreadable.clear()
            heard.append(Missed("UNREADABLE", f"{count} messages cannot be read: {first}"))
        heard += self._book.heard()
        heard += self._trades.heard()
        return heard or ([Unchanged()] if word and self._book.in_step else [])

    def _on(self, received: Received) -> None:
        content = received.content
        if isinstance(content, Missed):
            # If it was an update or a trade, the ids of the next one tell.
            self._unreadable.append(content.detail)
            return
        stream, data = content.get("stream"), content.get("data")
        kind = stream.partition("@")[2] if isinstance(stream, str) else ""
        if not isinstance(data, dict) or not kind:
            self._unreadable.append(f"a message of an unknown kind: {shown(content)}")
            return
        if data.get("e") == _SHUTDOWN:
            raise SourceFault("CONNECTION_LOST", "the venue says that it is about to end this connection")
        try:
            self._take(kind, data, received.time_ns)
        except Malformed as error:
            self._unreadable.append(f"{shown(stream)}: {error}")
            if kind.startswith("depth"):
                self._book.missed(f"an update cannot be read: {error}")

    def _take(self, kind: str, data: Message, received_ns: int) -> None:
        if data.get("s") != self._symbol:
            raise Malformed(f"s is {shown(data.get('s'))}, not {self._symbol}")
        if kind.startswith("depth"):
            self._book.update(data, received_ns)
        elif kind == "bookTicker":
            self._book.best(data)
        elif kind == self._market.trade_stream:
            self._trades.take(self._market.read_trade(data))
        else:
            raise Malformed("nobody asked for it")
