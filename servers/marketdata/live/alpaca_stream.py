"""Alpaca's stream of option quotes: one connection, which is all that an account may have, for all feeds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from skewline.servers.marketdata.live.alpaca_frames import Control, Frame, packed, read_frame, refusal
from skewline.servers.marketdata.live.alpaca_payload import Quote
from skewline.servers.marketdata.live.alpaca_rest import AlpacaRest
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.marketdata.live.websocket import Messages, conversation
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.settings.live import AlpacaSettings

_SYMBOLS_AT_ONCE: Final = 500
# What answers a subscription instead of its confirmation; the connection stays as it is.
_OF_A_SUBSCRIPTION: Final = frozenset({400, 405, 410, 413})
_HEADERS: Final = {"Content-Type": "application/msgpack"}


class Listener:
    """What one feed hears: the newest quote of each of its symbols since it last asked, however many came."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = frozenset(symbols)
        self.unreadable: list[str] = []
        self.words = 0
        """Quotes that came."""
        self._quotes: dict[str, Quote] = {}
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hear(self, symbol: str, quote: Quote) -> None:
        """Keep a quote, unless it is older than the one kept."""
        self.words += 1
        known = self._quotes.get(symbol)
        if known is None or quote.time_ns >= known.time_ns:
            self._quotes[symbol] = quote

    def fail(self, fault: SourceFault) -> None:
        """Nothing more will come."""
        if not self._fault.done():
            self._fault.set_exception(fault)
            # Whether or not anybody still waits.
            self._fault.exception()

    def quotes(self) -> dict[str, Quote]:
        """What there is; it is kept no longer."""
        taken, self._quotes = self._quotes, {}
        return taken

    async def listen(self, seconds: float) -> None:
        """Return after `seconds`. Raises SourceFault as soon as nothing more will come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._fault)


class AlpacaStream:
    """Opens the connection for the first who listens, and ends it after the last."""

    def __init__(self, settings: AlpacaSettings, rest: AlpacaRest) -> None:
        self._settings = settings
        self._rest = rest
        self._connection: _Connection | None = None

    @asynccontextmanager
    async def listener(self, symbols: Sequence[str]) -> AsyncIterator[Listener]:
        """Hears the quotes of `symbols`, for which the venue has been asked. Raises SourceFault."""
        connection = self._connection
        if connection is None or connection.over:
            connection = self._connection = _Connection(self._settings, self._rest, connection)
        listener = Listener(symbols)
        try:
            await connection.join(listener)
            yield listener
        finally:
            await connection.leave(listener)


class _Connection:
    """One connection, from opening it to its end, and those who listen to it."""

    def __init__(self, settings: AlpacaSettings, rest: AlpacaRest, before: _Connection | None) -> None:
        self.over = False
        self._settings = settings
        self._rest = rest
        self._before = before
        self._listeners: list[Listener] = []
        # In the order in which the venue answers.
        self._asked: deque[Listener | None] = deque()
        self._ready: asyncio.Future[Messages] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name="alpaca stream")

    async def join(self, listener: Listener) -> None:
        """Subscribe for a listener. Raises SourceFault if the connection cannot be opened."""
        self._listeners.append(listener)
        messages = await asyncio.shield(self._ready)
        known = self._wanted(without=listener)
        for some in _parts(sorted(listener.symbols - known)):
            self._asked.append(listener)
            await messages.send(packed({"action": "subscribe", "quotes": some}))

    async def leave(self, listener: Listener) -> None:
        """Unsubscribe what nobody else listens to; the last one ends the connection."""
        self._listeners.remove(listener)
        if not self._listeners:
            self.over = True
            await end(self._task)
            return
        if self.over or not self._ready.done():
            return
        messages = self._ready.result()
        with suppress(SourceFault):
            for some in _parts(sorted(listener.symbols - self._wanted())):
                self._asked.append(None)
                await messages.send(packed({"action": "unsubscribe", "quotes": some}))

    async def _run(self) -> None:
        try:
            if self._before is not None:
                # The venue would refuse a second one.
                await end(self._before._task)
            await self._converse()
        except SourceFault as fault:
            self._fail(fault)
        except asyncio.CancelledError:
            self._fail(SourceFault("CONNECTION_LOST", "the stream was ended"))
            raise
        except Exception as error:  # noqa: BLE001 - those who listen say it
            self._fail(SourceFault("INTERNAL", f"{type(error).__name__}: {error}"))

    async def _converse(self) -> None:
        settings = self._settings
        url = f"{settings.ws_url}/{settings.feed}"
        async with (
            self._rest.session() as session,
            conversation(
                session, url, settings.timeout_s, headers=_HEADERS, ping_s=settings.ping_s
            ) as messages,
        ):
            await self._authenticate(messages)
            self._ready.set_result(messages)
            while True:
                self._take(read_frame(await messages.receive()))

    async def _authenticate(self, messages: Messages) -> None:
        settings = self._settings
        assert settings.key is not None
        assert settings.secret is not None
        key, secret = settings.key.get_secret_value(), settings.secret.get_secret_value()
        try:
            async with asyncio.timeout(settings.timeout_s):
                await _success(messages, "connected")
                await messages.send(packed({"action": "auth", "key": key, "secret": secret}))
                await _success(messages, "authenticated")
        except TimeoutError as error:
            detail = f"{settings.ws_url} did not take the key within {settings.timeout_s:g} s"
            raise SourceFault("TIMEOUT", detail) from error

    def _take(self, frame: Frame) -> None:
        for control in frame.controls:
            self._on(control)
        for symbol, quote in frame.quotes:
            for listener in self._listeners:
                if symbol in listener.symbols:
                    listener.hear(symbol, quote)
        if frame.unreadable:
            # Of whom it was cannot be read either.
            for listener in self._listeners:
                listener.unreadable += frame.unreadable

    def _on(self, control: Control) -> None:
        if control.kind == "subscription":
            listener = self._asked.popleft() if self._asked else None
            if listener is not None and listener not in self._asked:
                missing = sorted(listener.symbols - control.subscribed)
                if missing:
                    said = f"{len(missing)} options cannot be subscribed to, the first is {missing[0]}"
                    listener.unreadable.append(said)
        elif control.kind == "error":
            if control.code not in _OF_A_SUBSCRIPTION or not self._asked:
                raise refusal(control)
            if (listener := self._asked.popleft()) is not None:
                listener.fail(refusal(control))

    def _fail(self, fault: SourceFault) -> None:
        self.over = True
        if not self._ready.done():
            self._ready.set_exception(fault)
            self._ready.exception()
        for listener in self._listeners:
            listener.fail(fault)

    def _wanted(self, without: Listener | None = None) -> set[str]:
        return {symbol for each in self._listeners if each is not without for symbol in each.symbols}


async def _success(messages: Messages, expected: str) -> None:
    frame = read_frame(await messages.receive())
    for control in frame.controls:
        if control.kind == "error":
            raise refusal(control)
        if control.kind == "success" and expected in control.message:
            return
    raise SourceFault("UNREADABLE", f"the stream did not say {expected!r}")


def _parts(symbols: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(symbols), _SYMBOLS_AT_ONCE):
        yield list(symbols[start : start + _SYMBOLS_AT_ONCE])
