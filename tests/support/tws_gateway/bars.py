"""Bars: those of the past that are asked for, and five seconds each from now on."""

from __future__ import annotations

from dataclasses import dataclass, field

from tws_gateway.gateway import Connection, TwsGateway
from tws_gateway.wire import Fields

HISTORICAL, CANCEL_HISTORICAL, LIVE_BARS, CANCEL_LIVE_BARS = "20", "25", "50", "51"
Row = tuple[object, float, float, float, float, float, float, int]
"""Start (s since the epoch), open, high, low, close, volume, average, count."""


@dataclass(slots=True)
class Bars:
    """What is told of the past, by size as it is asked for, and who follows bars."""

    past: dict[str, list[Row]] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    """Code and message for who asks for bars of the past."""
    live_refusal: tuple[int, str] | None = None
    """Code and message for who wants to follow bars."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Size and duration of each question."""
    following: list[tuple[Connection, str]] = field(default_factory=list)

    def serve(self, gateway: TwsGateway) -> None:
        """Answer for them."""
        gateway.handlers |= {
            HISTORICAL: self._tell_past,
            CANCEL_HISTORICAL: lambda _connection, _fields: None,
            LIVE_BARS: self._follow,
            CANCEL_LIVE_BARS: self._leave,
        }
        gateway.on_end.append(self._forget)

    def push(self, row: Row) -> None:
        """A bar of five seconds to all who follow."""
        for connection, request_id in self.following:
            connection.send(50, 3, request_id, *row)

    def _tell_past(self, connection: Connection, fields: Fields) -> None:
        request_id, size, duration = fields[1], fields[16], fields[17]
        self.asked.append((size, duration))
        if self.refusal is not None:
            connection.error(int(request_id), *self.refusal)
            return
        rows = self.past.get(size, [])
        connection.send(17, request_id, "", "", len(rows), *(value for row in rows for value in row))

    def _follow(self, connection: Connection, fields: Fields) -> None:
        if self.live_refusal is not None:
            connection.error(int(fields[2]), *self.live_refusal)
        else:
            self.following.append((connection, fields[2]))

    def _leave(self, connection: Connection, fields: Fields) -> None:
        self.following = [each for each in self.following if each != (connection, fields[2])]

    def _forget(self, connection: Connection) -> None:
        self.following = [each for each in self.following if each[0] is not connection]
