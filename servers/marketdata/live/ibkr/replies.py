"""What the gateway says, taken apart: answers to requests, ticks of lines, bars, and messages by number.

ib_insync's `IB` is not used: it asks for accounts and orders with every connection and once more with 1102,
keeps a ticker for every request for ever, and says nothing of a tick that repeats what it has, by which a
subscription is verified here. Its socket client takes any receiver with the names of IB's API.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.codes import Kind, code_of
from skewline.servers.marketdata.live.ibkr.quote import Quote
from skewline.servers.marketdata.live.source import SourceFault

_MOST_UNREADABLE: Final = 1000
_SHOWN: Final = 200


class Refused(Exception):
    """The gateway answered a request with an error."""

    def __init__(self, number: int, message: str) -> None:
        self.number = number
        self.message = message
        super().__init__(f"{number}: {message}")


class BarReceiver(Protocol):
    """Takes the bars of one subscription."""

    def bar(self, *values: float) -> None:
        """Start (s since the epoch), open, high, low, close, volume, average, count."""


@dataclass(frozen=True, slots=True)
class Note:
    """A message by number that is no answer to a request; `request_id` is -1 for the connection's."""

    request_id: int
    number: int
    message: str


@dataclass(slots=True)
class Request:
    """A question, and the rows of its answer so far."""

    answered: asyncio.Future[list[Any]]
    rows: list[Any] = field(default_factory=list)


class Replies:
    """Receives one connection's messages, under the names that IB's API gives them."""

    def __init__(self, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self._clock = clock
        self.requests: dict[int, Request] = {}
        self.quotes: dict[int, Quote] = {}
        """Of the lines that are open, by request id; ticks of others come late and are let go."""
        self.bar_receivers: dict[int, BarReceiver] = {}
        self.notes: deque[Note] = deque()
        self.unread: deque[str] = deque(maxlen=_MOST_UNREADABLE)
        self.unread_count = 0
        self.heard_ns = clock.time_ns()
        """When the last packet came, wall clock."""
        self.ticked_ns = self.heard_ns
        """When the last tick of an open line came."""
        self.messages = 0
        """Whole messages that came: behind a wrong length packets come without end, and no message."""
        self.news = asyncio.Event()
        """Set by notes and by the end."""
        self.ended: asyncio.Future[SourceFault] = loop.create_future()
        """Why the connection is of no use any more."""

    def open_request(self, identity: int) -> Request:
        """Await the answer to a request."""
        request = Request(asyncio.get_running_loop().create_future())
        self.requests[identity] = request
        return request

    def end(self, reason: str, detail: str, retry_after_s: float = 0.0) -> None:
        """The connection is of no use any more; the first reason stands."""
        if not self.ended.done():
            fault = SourceFault(reason, detail, retry_after_s)
            self.ended.set_result(fault)
            for request in self.requests.values():
                if not request.answered.done():
                    request.answered.set_exception(fault)
            self.news.set()

    def came(self) -> None:
        """A whole message."""
        self.messages += 1

    def unreadable(self, what: str) -> None:
        """A message that is not what the protocol says."""
        self.unread_count += 1
        self.unread.append(what)

    # The names of IB's API from here on.

    def tcpDataArrived(self) -> None:
        """A packet came."""
        self.heard_ns = self._clock.time_ns()

    def connectAck(self) -> None:
        """The versions are agreed on."""

    def setEventsDone(self) -> None:
        """The connection ended, or never was."""

    def connectionClosed(self) -> None:
        """The connection ended."""

    def error(self, reqId: int, number: int, message: str, _: str) -> None:
        """A message by number."""
        code = code_of(number)
        if code is None:
            return
        if code.kind is Kind.ENDS:
            detail = f"{number}: {message[:_SHOWN]}; {code.fix}"
            self.end(code.reason, detail, 60.0 if code.reason == "COMPETING_SESSION" else 0.0)
        elif (request := self.requests.get(reqId)) is not None:
            if not request.answered.done():
                request.answered.set_exception(Refused(number, message[:_SHOWN]))
        else:
            self.notes.append(Note(reqId, number, message[:_SHOWN]))
            self.news.set()

    def priceSizeTick(self, reqId: int, tick: int, price: float, size: float) -> None:
        """A price of a line."""
        if (quote := self.quotes.get(reqId)) is not None:
            self.ticked_ns = self.heard_ns
            quote.price(tick, price, size)

    def tickSize(self, reqId: int, tick: int, size: float) -> None:
        """A size of a line."""
        if (quote := self.quotes.get(reqId)) is not None:
            self.ticked_ns = self.heard_ns
            quote.size(tick, size)

    def tickOptionComputation(
        self, reqId: int, tick: int, _: int, vol: float, *greeks_and_underlying: float
    ) -> None:
        """The venue's model of a line."""
        if (quote := self.quotes.get(reqId)) is not None:
            self.ticked_ns = self.heard_ns
            quote.model(tick, vol, greeks_and_underlying[-1])

    def marketDataType(self, reqId: int, kind: int) -> None:
        """Whether a line is live, frozen or delayed."""
        if (quote := self.quotes.get(reqId)) is not None:
            quote.kind = kind

    def contractDetails(self, reqId: int, details: Any) -> None:
        """A contract."""
        self._row(reqId, details)

    def contractDetailsEnd(self, reqId: int) -> None:
        """That was the last one."""
        self._answered(reqId)

    def securityDefinitionOptionParameter(
        self,
        reqId: int,
        exchange: str,
        underlying_id: int,
        trading_class: str,
        multiplier: str,
        expiries: list[str],
        strikes: list[float],
    ) -> None:
        """The options of one trading class on one exchange."""
        self._row(reqId, (exchange, trading_class, multiplier, tuple(expiries), tuple(strikes)))

    def securityDefinitionOptionParameterEnd(self, reqId: int) -> None:
        """That was the last one."""
        self._answered(reqId)

    def historicalData(self, reqId: int, bar: Any) -> None:
        """A bar of the past."""
        self._row(reqId, bar)

    def historicalDataEnd(self, reqId: int, _start: str, _end: str) -> None:
        """That was the last one."""
        self._answered(reqId)

    def realtimeBar(self, reqId: int, *values: float) -> None:
        """A bar of five seconds."""
        if (receiver := self.bar_receivers.get(reqId)) is not None:
            receiver.bar(*values)

    def _row(self, reqId: int, row: Any) -> None:
        if (request := self.requests.get(reqId)) is not None:
            request.rows.append(row)

    def _answered(self, reqId: int) -> None:
        request = self.requests.get(reqId)
        if request is not None and not request.answered.done():
            request.answered.set_result(request.rows)
