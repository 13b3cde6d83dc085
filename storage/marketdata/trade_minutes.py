"""The minutes of an instrument's trades as bars, kept up with every batch: longer bars read no trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, insert, select, update

from skewline.storage.listing import within
from skewline.storage.marketdata.tables import TRADE_MINUTES
from skewline.v1 import order_book_pb2

MINUTE_NS: Final = 60_000_000_000


@dataclass(frozen=True, slots=True)
class TradeMinute:
    """One minute that has trades: their prices in order, and what was traded in all."""

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int
    provenance: int

    def followed_by(self, later: TradeMinute) -> TradeMinute:
        """With the trades of `later`, of the same minute, behind its own."""
        return replace(
            self,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=self.volume + later.volume,
            trades=self.trades + later.trades,
        )


def add(connection: Connection, batch: order_book_pb2.TradeBatch) -> None:
    """Take in trades that follow those taken in before."""
    for minute in minutes_of(batch):
        here = (
            TRADE_MINUTES.c.instrument_id == batch.instrument_id,
            TRADE_MINUTES.c.start_ns == minute.start_ns,
        )
        row = connection.execute(select(*_COLUMNS).where(*here)).one_or_none()
        if row is None:
            values = {"instrument_id": batch.instrument_id, **_values(minute)}
            connection.execute(insert(TRADE_MINUTES).values(values))
        else:
            merged = TradeMinute(*row).followed_by(minute)
            connection.execute(update(TRADE_MINUTES).where(*here).values(_values(merged)))


def minutes_of(batch: order_book_pb2.TradeBatch) -> Sequence[TradeMinute]:
    """The minutes of a batch, each with its trades in their order."""
    found: dict[int, TradeMinute] = {}
    for time_ns, price, quantity in zip(batch.time_ns, batch.price, batch.quantity, strict=True):
        start_ns = time_ns - time_ns % MINUTE_NS
        one = TradeMinute(start_ns, price, price, price, price, quantity, 1, batch.provenance)
        found[start_ns] = found[start_ns].followed_by(one) if start_ns in found else one
    return list(found.values())


def oldest(
    connection: Connection, instrument_id: str, from_ns: int, to_ns: int, limit: int
) -> list[TradeMinute]:
    """The first `limit` minutes that start from `from_ns` on and before `to_ns`; 0 leaves a side open."""
    wanted = [
        TRADE_MINUTES.c.instrument_id == instrument_id,
        *within(TRADE_MINUTES.c.start_ns, from_ns, to_ns),
    ]
    rows = connection.execute(
        select(*_COLUMNS).where(*wanted).order_by(TRADE_MINUTES.c.start_ns).limit(limit)
    )
    return [TradeMinute(*row) for row in rows]


def newest(
    connection: Connection, instrument_id: str, from_ns: int, to_ns: int, limit: int
) -> list[TradeMinute]:
    """The last `limit` of them, oldest first."""
    wanted = [
        TRADE_MINUTES.c.instrument_id == instrument_id,
        *within(TRADE_MINUTES.c.start_ns, from_ns, to_ns),
    ]
    rows = connection.execute(
        select(*_COLUMNS).where(*wanted).order_by(TRADE_MINUTES.c.start_ns.desc()).limit(limit)
    )
    return [TradeMinute(*row) for row in rows][::-1]


_NAMES: Final = ("start_ns", "open", "high", "low", "close", "volume", "trades", "provenance")
_COLUMNS: Final = tuple(TRADE_MINUTES.c[name] for name in _NAMES)


def _wanted(instrument_id: str, from_ns: int, to_ns: int) -> list[ColumnElement[bool]]:
    of_it = TRADE_MINUTES.c.instrument_id == instrument_id
    return [of_it, *within(TRADE_MINUTES.c.start_ns, from_ns, to_ns)]


def _values(minute: TradeMinute) -> dict[str, float]:
    return {name: getattr(minute, name) for name in _NAMES}
