"""Parts of the columns of trades."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import Final

from skewline.storage.marketdata.trades import TradeQuery
from skewline.v1 import order_book_pb2

_COLUMNS: Final = ("time_ns", "price", "quantity", "is_buy", "trade_id")

TradeBatch = order_book_pb2.TradeBatch


def kept(batch: TradeBatch, keep: Iterable[bool]) -> TradeBatch:
    """Those trades for which `keep`, in order, is true."""
    chosen = list(keep)
    found = TradeBatch(instrument_id=batch.instrument_id, provenance=batch.provenance)
    for name in _COLUMNS:
        getattr(found, name).extend(compress(getattr(batch, name), chosen))
    return found


def behind(batch: TradeBatch, trade_id: int) -> TradeBatch:
    """Trades with a later id."""
    return kept(batch, (each > trade_id for each in batch.trade_id))


def asked(batch: TradeBatch, query: TradeQuery, after_id: int) -> TradeBatch:
    """Trades with a later id than `after_id` within the times of `query`."""
    end_ns = query.to_ns or 2**63
    pairs = zip(batch.trade_id, batch.time_ns, strict=True)
    return kept(batch, (each > after_id and query.from_ns <= time_ns < end_ns for each, time_ns in pairs))


def first(batch: TradeBatch, limit: int) -> TradeBatch:
    """The first `limit` trades."""
    return kept(batch, (index < limit for index in range(len(batch.trade_id))))
