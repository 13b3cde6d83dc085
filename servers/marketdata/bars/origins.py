"""Where bars can be taken from, in order of preference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Connection

from skewline.servers.marketdata.bars.piece import BarOrigin, Piece, moment
from skewline.servers.marketdata.bars.traded import Trades
from skewline.storage.marketdata import bars, chains
from skewline.v1 import chain_pb2, common_pb2

MOST_PIECES: Final = 200_000
"""What is read at once."""


@dataclass(frozen=True, slots=True)
class Span:
    """Pieces of `underlying`, `piece_ns` long (0: moments), that start from `from_ns` on, before `to_ns`.

    A time of 0 leaves that side open.
    """

    underlying: str
    piece_ns: int
    from_ns: int
    to_ns: int


class Origin(Protocol):
    """One kind of pieces that are stored."""

    @property
    def kind(self) -> BarOrigin:
        """Its name in the contract."""

    def lengths(self, connection: Connection, underlying: str) -> Sequence[int]:
        """Lengths of its pieces, longest first; 0 for prices of moments."""

    def any(self, connection: Connection, span: Span) -> bool:
        """Whether there is a piece."""

    def oldest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The first `limit` pieces, oldest first."""

    def newest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The last `limit` pieces, oldest first."""


class RecordedBars:
    """Bars that feeds, files and clients gave."""

    kind: Final = chain_pb2.BAR_ORIGIN_RECORDED

    def lengths(self, connection: Connection, underlying: str) -> Sequence[int]:
        """All there are of."""
        return bars.intervals(connection, underlying)

    def any(self, connection: Connection, span: Span) -> bool:
        """Whether there is one."""
        return bool(self.oldest(connection, span, 1))

    def oldest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The first ones."""
        return [_piece(row) for row in bars.oldest(connection, _query(span), limit)]

    def newest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The last ones."""
        return [_piece(row) for row in bars.newest(connection, _query(span), limit)]


class SnapshotSpots:
    """Spots of accepted snapshots."""

    kind: Final = chain_pb2.BAR_ORIGIN_SNAPSHOTS

    def lengths(self, connection: Connection, underlying: str) -> Sequence[int]:
        """Moments."""
        return (0,)

    def any(self, connection: Connection, span: Span) -> bool:
        """Whether there is one."""
        return bool(self.oldest(connection, span, 1))

    def oldest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The first ones."""
        found = chains.spots(connection, span.underlying, span.from_ns, span.to_ns, limit)
        return [moment(*spot) for spot in found]

    def newest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The last ones."""
        found = chains.newest_spots(connection, span.underlying, span.from_ns, span.to_ns, limit)
        return [moment(*spot) for spot in found]


ORIGINS: Final[tuple[Origin, ...]] = (RecordedBars(), Trades(), SnapshotSpots())
"""The first that has pieces for a bar is taken: who records bars means them, and they saw every price."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An origin, and which of its pieces are taken."""

    origin: Origin
    span: Span


def chosen(connection: Connection, interval_ns: int, span_of: Callable[[int], Span]) -> Chosen | None:
    """The first origin with pieces that make up bars of `interval_ns`, and the longest of them.

    `span_of` gives those wanted of each length.
    """
    underlying = span_of(0).underlying
    for origin in ORIGINS:
        for piece_ns in origin.lengths(connection, underlying):
            span = span_of(piece_ns)
            if (not piece_ns or interval_ns % piece_ns == 0) and origin.any(connection, span):
                return Chosen(origin, span)
    return None


def origin_of(kind: int) -> Origin | None:
    """By its name in the contract."""
    return next((origin for origin in ORIGINS if origin.kind == kind), None)


def newest_ns(connection: Connection, underlying: str, to_ns: int) -> int:
    """The last moment that any piece before `to_ns` tells of; 0 if there is none."""
    last = 0
    for origin in ORIGINS:
        for piece_ns in origin.lengths(connection, underlying):
            span = Span(underlying, piece_ns, 0, to_ns)
            for piece in origin.newest(connection, span, 1):
                last = max(last, piece.end_ns - 1 if piece.is_bar else piece.start_ns)
    return last


def _query(span: Span) -> bars.BarQuery:
    return bars.BarQuery(span.underlying, span.piece_ns, span.from_ns, span.to_ns)


def _piece(row: bars.BarRow) -> Piece:
    return Piece(
        start_ns=row.start_ns,
        end_ns=row.start_ns + row.interval_ns,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        source=row.source,
        provenance=common_pb2.Provenance.ValueType(row.provenance),
    )
