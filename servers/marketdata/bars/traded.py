"""Trades as an origin of bars: minutes of them, and for bars of no whole minutes the trades themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from skewline.servers.marketdata.bars.piece import Piece
from skewline.storage.marketdata import trade_minutes, trades
from skewline.storage.marketdata.trade_minutes import MINUTE_NS, TradeMinute
from skewline.storage.marketdata.trades import TradeQuery
from skewline.v1 import chain_pb2, common_pb2, order_book_pb2

if TYPE_CHECKING:
    from skewline.servers.marketdata.bars.origins import Span


class Trades:
    """Trades of an instrument, whose id stands where others have an underlying."""

    kind: Final = chain_pb2.BAR_ORIGIN_TRADES

    def lengths(self, connection: Connection, underlying: str) -> Sequence[int]:
        """Minutes, and moments."""
        return (MINUTE_NS, 0)

    def any(self, connection: Connection, span: Span) -> bool:
        """Whether there is one."""
        return bool(self.oldest(connection, span, 1))

    def oldest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The first ones."""
        if span.piece_ns:
            found = trade_minutes.oldest(connection, span.underlying, span.from_ns, span.to_ns, limit)
            return [_minute(span.underlying, each) for each in found]
        batches = trades.oldest_first(connection, _query(span))
        return list(islice(_moments(batches, span), limit))

    def newest(self, connection: Connection, span: Span, limit: int) -> list[Piece]:
        """The last ones."""
        if span.piece_ns:
            found = trade_minutes.newest(connection, span.underlying, span.from_ns, span.to_ns, limit)
            return [_minute(span.underlying, each) for each in found]
        pieces: list[list[Piece]] = []
        left = limit
        for batch in trades.newest_first(connection, _query(span)):
            pieces.append(list(_moments([batch], span))[-left:])
            left -= len(pieces[-1])
            if left <= 0:
                break
        return [piece for some in reversed(pieces) for piece in some]


def _query(span: Span) -> TradeQuery:
    return TradeQuery(span.underlying, span.from_ns, span.to_ns)


def _moments(batches: Iterable[order_book_pb2.TradeBatch], span: Span) -> Iterable[Piece]:
    end_ns = span.to_ns or 2**63
    for batch in batches:
        for time_ns, price, quantity in zip(batch.time_ns, batch.price, batch.quantity, strict=True):
            if span.from_ns <= time_ns < end_ns:
                yield Piece(
                    start_ns=time_ns,
                    end_ns=time_ns,
                    open=price,
                    high=price,
                    low=price,
                    close=price,
                    volume=quantity,
                    source=batch.instrument_id,
                    provenance=batch.provenance,
                )


def _minute(instrument_id: str, minute: TradeMinute) -> Piece:
    return Piece(
        start_ns=minute.start_ns,
        end_ns=minute.start_ns + MINUTE_NS,
        open=minute.open,
        high=minute.high,
        low=minute.low,
        close=minute.close,
        volume=minute.volume,
        source=instrument_id,
        provenance=common_pb2.Provenance.ValueType(minute.provenance),
    )
