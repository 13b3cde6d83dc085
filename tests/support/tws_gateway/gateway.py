"""The gateway: connections of API clients, the handshake, and faults. What is served is plugged in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from waiting import until

from tws_gateway.wire import Fields, encoded, read_body, read_fields

VERSION = 176
START_API, CURRENT_TIME = "71", "49"
ACCOUNT = "DU1234567"

Handler = Callable[["Connection", Fields], None]


class Connection:
    """One API client's."""

    def __init__(self, gateway: TwsGateway, writer: asyncio.StreamWriter) -> None:
        self._gateway = gateway
        self._writer = writer
        self.client_id = -1

    def send(self, *fields: object) -> None:
        """A message, unless the gateway is silent."""
        self.send_raw(encoded(*fields))

    def send_raw(self, data: bytes) -> None:
        """Bytes as they are, unless the gateway is silent."""
        if not self._gateway.silent and not self._writer.is_closing():
            self._writer.write(data)

    def error(self, request_id: int, code: int, message: str) -> None:
        """A message by number."""
        self.send(4, 2, request_id, code, message, "")

    def end(self, *, at_once: bool = False) -> None:
        """Hang up, `at_once` without what is still to be sent."""
        if at_once:
            self._writer.transport.abort()
        else:
            self._writer.close()


class TwsGateway:
    """Listens, agrees on the version, and gives each request to the handler of its number."""

    def __init__(self) -> None:
        self.port = 0
        self.handlers: dict[str, Handler] = {CURRENT_TIME: _tell_time}
        self.on_end: list[Callable[[Connection], None]] = []
        self.connections: list[Connection] = []
        self.heard: list[list[str]] = []
        """Every request."""
        self.silent = False
        """Nothing is sent, and nothing is heard."""
        self.held: set[str] = set()
        """Numbers of requests that are answered only when they are let go."""
        self.taken_client_ids: set[int] = set()
        self.greeting: list[tuple[int, str]] = [(2104, "Market data farm connection is OK:usopt")]
        self.first_word: bytes | None = None
        """Said instead of the handshake."""
        self._waiting: list[tuple[Connection, Fields]] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; again on the same port after `close`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Connections end, and new ones are refused."""
        if self._server is not None:
            self._server.close()
            await self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def say(self, code: int, message: str, request_id: int = -1) -> None:
        """A message by number to everybody."""
        for connection in self.connections:
            connection.error(request_id, code, message)

    def say_raw(self, data: bytes) -> None:
        """Bytes to everybody."""
        for connection in self.connections:
            connection.send_raw(data)

    async def hang_up(self) -> None:
        """End every connection."""
        for connection in list(self.connections):
            connection.end(at_once=True)
        await until(lambda: not self.connections)

    def let_go(self) -> None:
        """Answer what was held."""
        self.held.clear()
        waiting, self._waiting = self._waiting, []
        for connection, fields in waiting:
            self._handle(connection, fields)

    def asked(self, number: str) -> list[list[str]]:
        """The requests of a number."""
        return [fields for fields in self.heard if fields[0] == number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        self.connections.append(connection)
        try:
            assert await reader.readexactly(4) == b"API\0"
            await read_body(reader)
            if self.first_word is not None:
                connection.send_raw(self.first_word)
            else:
                connection.send(VERSION, time.strftime("%Y%m%d %H:%M:%S UTC", time.gmtime()))
            while True:
                fields = await read_fields(reader)
                if self.silent:
                    continue
                self.heard.append(fields)
                if fields[0] in self.held:
                    self._waiting.append((connection, fields))
                else:
                    self._handle(connection, fields)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections.remove(connection)
            for ended in self.on_end:
                ended(connection)
            writer.close()

    def _handle(self, connection: Connection, fields: Fields) -> None:
        if fields[0] == START_API:
            self._start(connection, int(fields[2]))
        elif (handler := self.handlers.get(fields[0])) is not None:
            handler(connection, fields)
        else:
            connection.error(-1, 321, f"this gateway does not serve request {fields[0]}")

    def _start(self, connection: Connection, client_id: int) -> None:
        used = self.taken_client_ids | {each.client_id for each in self.connections}
        if client_id in used:
            connection.error(-1, 326, "Unable to connect as the client id is already in use.")
            connection.end()
            return
        connection.client_id = client_id
        connection.send(15, 1, ACCOUNT)
        connection.send(9, 1, 1)
        for code, message in self.greeting:
            connection.error(-1, code, message)


def _tell_time(connection: Connection, _: Fields) -> None:
    connection.send(49, 1, int(time.time()))


@asynccontextmanager
async def listening(gateway: TwsGateway) -> AsyncIterator[TwsGateway]:
    """The gateway, while it listens."""
    await gateway.open()
    try:
        yield gateway
    finally:
        await gateway.close()
