"""Deribit's options of a coin: the list by HTTP, tickers by WebSocket, a chain every few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Any, Final

import aiohttp

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.deribit_chain import TickerChain
from skewline.servers.marketdata.live.deribit_payload import check_error, read_instruments, read_ticker
from skewline.servers.marketdata.live.http import Http
from skewline.servers.marketdata.live.members import Malformed
from skewline.servers.marketdata.live.rate_limit import RateLimit
from skewline.servers.marketdata.live.source import ChainSeen, Heard, Missed, Patience, SourceFault, Unchanged
from skewline.servers.marketdata.live.websocket import Message, Messages, conversation
from skewline.servers.runtime.settings.live import DeribitSettings
from skewline.v1 import common_pb2

_CHANNELS_AT_ONCE: Final = 100
_FAST_NS: Final = 300_000_000_000
_SHOWN: Final = 120


class DeribitSource:
    """The inverse options of `coin`; `http` and `limit` are shared by all that ask the venue."""

    provenance = common_pb2.PROVENANCE_LIVE

    def __init__(
        self, coin: str, settings: DeribitSettings, http: Http, limit: RateLimit, clock: Clock
    ) -> None:
        self.underlying = coin
        self.patience = Patience(
            stale_after_s=settings.stale_after_s,
            # A word is passed on with the next chain.
            reconnect_after_s=settings.interval_s + 2 * settings.heartbeat_s + settings.timeout_s,
            # Quotes came and went unseen.
            gap_after_s=0.0,
        )
        self._settings = settings
        self._http = http
        self._limit = limit
        self._clock = clock
        self._time_ns = 0

    async def stream(self) -> AsyncGenerator[Heard, None]:
        """One connection: begun from the list of instruments, with a first ticker of each."""
        settings = self._settings
        async with (
            self._http.session() as session,
            conversation(session, settings.ws_url, settings.timeout_s) as messages,
        ):
            subscriptions = _Subscriptions(self.underlying, messages, self._limit, self._clock)
            await messages.send(_request("public/set_heartbeat", interval=settings.heartbeat_s))
            await self._list(session, subscriptions)
            began = due = quoted_at = listed_at = self._clock.monotonic()
            while True:
                due = max(due + settings.interval_s, self._clock.monotonic())
                word = False
                while (left := due - self._clock.monotonic()) > 0:
                    message = await messages.next(left)
                    if message is not None:
                        word = True
                        await subscriptions.on(message)
                if subscriptions.unreadable:
                    yield subscriptions.missed()
                now = self._clock.monotonic()
                if subscriptions.changed or now >= listed_at + settings.list_every_s:
                    listed_at = now
                    await self._list(session, subscriptions)
                if subscriptions.quoted:
                    subscriptions.quoted, quoted_at = False, now
                elif now >= quoted_at + 2 * settings.stale_after_s:
                    # Heartbeats go on, but what was subscribed to no longer comes.
                    raise SourceFault("SILENT", f"no ticker for {now - quoted_at:.3g} s")
                waited = self._clock.monotonic() - began
                if subscriptions.chain.complete or waited >= settings.complete_within_s:
                    chain = subscriptions.chain.chain(f"deribit:{self.underlying}", self._time_ns)
                    if chain is not None:
                        self._time_ns = chain.time_ns
                        yield ChainSeen(chain)
                        continue
                if word:
                    yield Unchanged()

    async def _list(self, session: aiohttp.ClientSession, subscriptions: _Subscriptions) -> None:
        path = f"public/get_instruments?currency={self.underlying}&kind=option&expired=false"
        answer = await self._http.get(session, path)
        assert answer is not None  # no tag was given
        listed, unreadable = await asyncio.to_thread(read_instruments, answer.body, self.underlying)
        subscriptions.chain.relist(listed.values())
        subscriptions.unreadable += unreadable
        await subscriptions.want(listed)


class _Subscriptions:
    """What one connection listens to, and the chain that it makes of it."""

    def __init__(self, coin: str, messages: Messages, limit: RateLimit, clock: Clock) -> None:
        self.chain = TickerChain(coin)
        self.changed = self.quoted = False
        self.unreadable: list[str] = []
        self._last = 0
        self._state_channel = f"instrument.state.option.{coin}"
        self._messages = messages
        self._limit = limit
        self._clock = clock
        self._wanted: set[str] = set()
        self._asked: dict[int, tuple[str, ...]] = {}

    async def want(self, names: Iterable[str]) -> None:
        """Subscribe to the tickers of `names`, and to the news of what is listed."""
        self.changed = False
        channels = {f"ticker.{name}.100ms" for name in names} | {self._state_channel}
        new = sorted(channels - self._wanted)
        self._wanted |= channels
        for some in _parts(new):
            await self._limit.turn()
            self._last += 1
            self._asked[self._last] = some
            await self._messages.send(_request("public/subscribe", self._last, channels=some))

    async def on(self, message: Message) -> None:
        """Take one message. Raises SourceFault for a refusal."""
        method = message.get("method")
        if method == "subscription":
            self._on_news(message.get("params"))
        elif method == "heartbeat":
            if _member(message.get("params"), "type") == "test_request":
                await self._messages.send(_request("public/test"))
        elif "id" in message:
            check_error(message)
            self._on_answer(message["id"], message.get("result"))
        else:
            self.unreadable.append(f"a message of an unknown kind: {str(message)[:_SHOWN]}")

    def missed(self) -> Missed:
        """What could not be read since it was last asked for, as one: nobody shall flood the log."""
        count, first = len(self.unreadable), self.unreadable[0]
        self.unreadable = []
        return Missed("UNREADABLE", f"{count} messages or parts of them cannot be read: {first}")

    def _on_news(self, params: object) -> None:
        channel = _member(params, "channel")
        if channel == self._state_channel:
            self.changed = True
            return
        try:
            ticker = read_ticker(_member(params, "data"))
            if ticker.time_ns > self._clock.time_ns() + _FAST_NS:
                # Taken in, it would make everything until then late.
                raise Malformed("timestamp is in the future")
        except Malformed as error:
            self.unreadable.append(f"{str(channel)[:_SHOWN]}: {error}")
        else:
            self.quoted = True
            self.chain.take(ticker)

    def _on_answer(self, identity: object, result: object) -> None:
        asked = self._asked.pop(identity, ()) if isinstance(identity, int) else ()
        answered = {each for each in result if isinstance(each, str)} if isinstance(result, list) else set()
        if missing := sorted(set(asked) - answered):
            # What expired since it was listed cannot be subscribed to: the list is asked for again.
            self.changed = True
            self.unreadable.append(f"{len(missing)} channels were left out, the first is {missing[0]}")


def _request(method: str, identity: int = 0, **params: Any) -> Message:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _parts(channels: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(channels), _CHANNELS_AT_ONCE):
        yield tuple(channels[start : start + _CHANNELS_AT_ONCE])
