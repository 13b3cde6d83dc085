"""Market data lines: each begins with the contract's present state, and hears what is ticked after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tws_gateway.gateway import Connection, TwsGateway
from tws_gateway.wire import Fields

MARKET_DATA, CANCEL_MARKET_DATA, MARKET_DATA_TYPE = "1", "2", "59"
LIVE, FROZEN, DELAYED = 1, 2, 3
_DELAYED_PRICE = {1: 66, 2: 67, 4: 68, 9: 75}
_DELAYED_SIZE = {0: 69, 3: 70, 8: 74}


@dataclass(frozen=True, slots=True)
class State:
    """What a contract's lines are told; prices of -1 stand for none."""

    bid: float = -1.0
    ask: float = -1.0
    bid_size: float = 10.0
    ask_size: float = 12.0
    last: float = -1.0
    close: float = -1.0
    volume: float = 0.0
    open_interest: float = 0.0
    iv: float = -1.0
    underlying: float = -1.0


@dataclass(slots=True)
class OpenLine:
    """A line that a client listens to."""

    connection: Connection
    request_id: str
    con_id: int
    kind: int


@dataclass(slots=True)
class Quotes:
    """The states, and who listens to them. `permitted` is the market data type that the account has."""

    states: dict[int, State] = field(default_factory=dict)
    options: set[int] = field(default_factory=set)
    """Which of them are options, and have a model."""
    refusals: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Contracts whose lines are refused, with code and message; a line that 10167 is said of goes on."""
    permitted: int = LIVE
    most_lines: int = 10_000
    open: list[OpenLine] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    """Contracts of all lines that were opened, in their order."""
    most_open: int = 0
    """Lines that were open at once, at most."""
    types: dict[int, int] = field(default_factory=dict)
    """The type asked for, by client id."""

    def serve(self, gateway: TwsGateway) -> None:
        """Answer for them."""
        gateway.handlers |= {
            MARKET_DATA: self._begin,
            CANCEL_MARKET_DATA: self._cancel,
            MARKET_DATA_TYPE: self._use,
        }
        gateway.on_end.append(self._forget)

    def tick(self, con_id: int, **changed: float) -> None:
        """A contract's new state, told to all who listen."""
        self.states[con_id] = replace(self.states[con_id], **changed)
        for line in self.open:
            if line.con_id == con_id:
                self._tell(line)

    def lines_of(self, con_id: int) -> list[OpenLine]:
        """The lines that listen to a contract."""
        return [line for line in self.open if line.con_id == con_id]

    def drop_all(self) -> None:
        """Forget every line, as with 1101."""
        self.open.clear()

    def _begin(self, connection: Connection, fields: Fields) -> None:
        request_id, con_id = fields[2], int(fields[3])
        self.opened.append(con_id)
        kind = self.types.get(connection.client_id, LIVE)
        if con_id not in self.states:
            connection.error(int(request_id), 200, "No security definition has been found for the request")
        elif con_id in self.refusals:
            connection.error(int(request_id), *self.refusals[con_id])
        elif len(self.open) >= self.most_lines:
            connection.error(int(request_id), 101, "Max number of tickers has been reached")
        elif kind == LIVE and self.permitted != LIVE:
            message = "Requested market data is not subscribed. Delayed market data is available"
            connection.error(int(request_id), 354, message)
        else:
            if kind != LIVE and self.permitted != LIVE:
                message = "Requested market data is not subscribed. Displaying delayed market data."
                connection.error(int(request_id), 10167, message)
            line = OpenLine(connection, request_id, con_id, max(kind, self.permitted))
            self.open.append(line)
            self.most_open = max(self.most_open, len(self.open))
            connection.send(58, 1, request_id, line.kind)
            self._tell(line)

    def _tell(self, line: OpenLine) -> None:
        state, send = self.states[line.con_id], line.connection.send
        delayed = line.kind == DELAYED
        prices = [(1, state.bid, state.bid_size), (2, state.ask, state.ask_size)]
        prices += [(tick, price, 0.0) for tick, price in ((4, state.last), (9, state.close)) if price > 0]
        for tick, price, size in prices:
            send(1, 6, line.request_id, _DELAYED_PRICE[tick] if delayed else tick, price, size, 0)
        send(2, 6, line.request_id, _DELAYED_SIZE[8] if delayed else 8, state.volume)
        if line.con_id in self.options:
            send(2, 6, line.request_id, 27, state.open_interest)
            greeks = (0.51, 12.4, 0.0, 0.0021, 8.1, -1.2, state.underlying)
            send(21, line.request_id, 83 if delayed else 13, 0, state.iv, *greeks)

    def _cancel(self, connection: Connection, fields: Fields) -> None:
        self.open = [
            line for line in self.open if (line.connection, line.request_id) != (connection, fields[2])
        ]

    def _use(self, connection: Connection, fields: Fields) -> None:
        self.types[connection.client_id] = int(fields[2])

    def _forget(self, connection: Connection) -> None:
        self.open = [line for line in self.open if line.connection is not connection]
