"""A connection to TWS or IB Gateway: opened, asked, listened to, and closed without a trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from ib_insync.client import Client
from ib_insync.contract import Contract

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.codes import Kind, code_of
from skewline.servers.marketdata.live.ibkr.decoding import CheckedDecoder
from skewline.servers.marketdata.live.ibkr.quote import Quote
from skewline.servers.marketdata.live.ibkr.replies import BarReceiver, Note, Replies
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.settings.live import IbkrSettings

_CLOSE_WITHIN_S: Final = 1.0
_OPTION_TICKS: Final = "101"
"""Open interest, besides what comes of itself."""


class Gateway:
    """A connection that is ready. Requests go out at the settings' rate, in order."""

    def __init__(self, client: Client, replies: Replies, settings: IbkrSettings) -> None:
        self._client = client
        self._replies = replies
        self._settings = settings
        self.throttled = False
        """Whether requests are waiting to go out."""
        client.throttleStart += self._throttle_start
        client.throttleEnd += self._throttle_end

    @property
    def ticked_ns(self) -> int:
        """When the last tick of an open line came, wall clock."""
        return self._replies.ticked_ns

    @property
    def messages(self) -> int:
        """Messages that came."""
        return self._replies.messages

    async def ask(self, send: Callable[[Client, int], None], within_s: float | None = None) -> list[Any]:
        """The rows of an answer. Raises Refused, and SourceFault if none comes or the connection ends."""
        self.check()
        identity = self._client.getReqId()
        request = self._replies.open_request(identity)
        limit = self._settings.timeout_s if within_s is None else within_s
        try:
            send(self._client, identity)
            async with asyncio.timeout(limit):
                return await request.answered
        except TimeoutError as error:
            raise self._unanswered(limit) from error
        finally:
            del self._replies.requests[identity]

    def use(self, market_data_type: int) -> None:
        """What lines opened from now on shall bring: live, frozen or delayed data."""
        self._client.reqMarketDataType(market_data_type)

    def listen(self, contract: Contract, quote: Quote, *, option: bool) -> int:
        """Open a line into `quote`; returns its request id. Raises SourceFault."""
        self.check()
        identity: int = self._client.getReqId()
        self._replies.quotes[identity] = quote
        self._client.reqMktData(identity, contract, _OPTION_TICKS if option else "", False, False, [])
        return identity

    def let_go(self, request_id: int, *, told: bool = True) -> None:
        """Close a line; `told` unless the gateway closed it itself."""
        if self._replies.quotes.pop(request_id, None) is not None and told and not self._replies.ended.done():
            self._client.cancelMktData(request_id)

    def follow_bars(self, contract: Contract, show: str, receiver: BarReceiver) -> int:
        """Bars of five seconds from now on; returns the request id. Raises SourceFault."""
        self.check()
        identity: int = self._client.getReqId()
        self._replies.bar_receivers[identity] = receiver
        self._client.reqRealTimeBars(identity, contract, 5, show, False, [])
        return identity

    def leave_bars(self, request_id: int, *, told: bool = True) -> None:
        """End a subscription to bars; `told` unless the gateway ended it itself."""
        known = self._replies.bar_receivers.pop(request_id, None) is not None
        if known and told and not self._replies.ended.done():
            self._client.cancelRealTimeBars(request_id)

    def prove(self) -> None:
        """Ask for the time, to which a gateway that is there says something."""
        self.check()
        self._client.reqCurrentTime()

    async def wait(self, within_s: float) -> list[Note]:
        """Notes, as soon as one came or after `within_s`. Raises SourceFault if the connection ended."""
        replies = self._replies
        if not replies.notes:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, within_s)):
                    await replies.news.wait()
        self.check()
        replies.news.clear()
        notes = list(replies.notes)
        replies.notes.clear()
        return notes

    def check(self) -> None:
        """Raise the SourceFault that ended the connection, if one did."""
        if self._replies.ended.done():
            raise self._replies.ended.result()

    def unread(self) -> tuple[int, str]:
        """How many messages could not be read since it was last asked, and the first of them."""
        replies = self._replies
        count, first = replies.unread_count, replies.unread[0] if replies.unread else ""
        replies.unread_count = 0
        replies.unread.clear()
        return count, first

    def _unanswered(self, limit_s: float) -> SourceFault:
        """A gateway without its servers answers nothing, but says so."""
        for note in self._replies.notes:
            code = code_of(note.number)
            if code is not None and code.kind is Kind.LOST:
                return SourceFault(code.reason, f"{note.number}: {note.message}; {code.fix}")
        return SourceFault("TIMEOUT", f"the gateway did not answer within {limit_s:g} s")

    def _throttle_start(self) -> None:
        self.throttled = True

    def _throttle_end(self) -> None:
        self.throttled = False


@asynccontextmanager
async def connected(settings: IbkrSettings, client_id: int, clock: Clock) -> AsyncIterator[Gateway]:
    """A connection within the block. Raises SourceFault when there can be none.

    ib_insync asks the event-loop policy for the loop, which does not know one that a factory made (as
    `uvloop.run` does): it is told.
    """
    asyncio.set_event_loop(asyncio.get_running_loop())
    replies = Replies(clock)
    client = Client(replies)
    client.decoder = CheckedDecoder(replies)
    client.MaxRequests = settings.requests_per_s
    closed = asyncio.Event()

    def on_error(message: str) -> None:
        # The client's words for an end that the gateway did not explain.
        outdated = "version must be" in message
        reason = "OUTDATED_GATEWAY" if outdated else "CONNECTION_LOST"
        replies.end(reason, f"{settings.host}:{settings.port}: {message}")

    def on_closed(message: str) -> None:
        closed.set()
        replies.end("CONNECTION_LOST", f"{settings.host}:{settings.port} ended the connection. {message}")

    client.apiError += on_error
    client.conn.disconnected += on_closed
    try:
        await _open(client, replies, settings, client_id)
        yield Gateway(client, replies, settings)
    finally:
        transport = client.conn.transport
        if client.connState != Client.DISCONNECTED:
            client.disconnect()
        if transport is not None:
            try:
                async with asyncio.timeout(_CLOSE_WITHIN_S):
                    await closed.wait()
            except TimeoutError:
                # What it was still to be sent holds up a connection that is dead.
                transport.abort()
                await closed.wait()


async def _open(client: Client, replies: Replies, settings: IbkrSettings, client_id: int) -> None:
    """Connect. Raises SourceFault."""
    where = f"{settings.host}:{settings.port}"
    opening = asyncio.ensure_future(
        client.connectAsync(settings.host, settings.port, client_id, settings.timeout_s)
    )
    try:
        await asyncio.wait({opening, replies.ended}, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            await opening
            # What it did not want to say at once, such as that the client id is in use, comes with the end.
            if replies.ended.done():
                raise replies.ended.result()
            return
        raise replies.ended.result()
    except TimeoutError as error:
        fix = "see that the port is the API's, and whether the gateway asks to accept the connection"
        raise SourceFault(
            "TIMEOUT", f"{where} did not answer within {settings.timeout_s:g} s; {fix}"
        ) from error
    except OSError as error:
        fix = "start TWS or IB Gateway, enable its API for sockets, and see host and port"
        raise SourceFault("NO_GATEWAY", f"502: {where} cannot be reached ({error}); {fix}") from error
    finally:
        await end(opening)
