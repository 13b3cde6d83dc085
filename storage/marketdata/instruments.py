"""The instrument master in and out of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select, update

from skewline.storage.bulk import copy_rows
from skewline.storage.listing import matching
from skewline.storage.marketdata.tables import CHAINS, INSTRUMENTS
from skewline.v1 import chain_pb2

# Below the number of parameters that any build of SQLite takes in one statement.
_CHUNK = 500
_LINKS = ("successor_id", "predecessor_id")
_COLUMNS = tuple(column.name for column in INSTRUMENTS.c if column.name not in _LINKS)


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """One instrument; enums are the contract's numbers, `last_seen_ns` is 0 in a new one."""

    instrument_id: str
    kind: int
    underlying: str
    root: str
    right: int
    strike: Decimal | None
    expiry_date: str
    expiry_ns: int
    settlement: int
    exercise: int
    multiplier: Decimal
    currency: str
    tick_below: Decimal | None
    tick_threshold: Decimal | None
    tick_above: Decimal | None
    first_seen_ns: int
    last_seen_ns: int = 0
    successor_id: str = ""
    predecessor_id: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentQuery:
    """Which instruments; empty or 0 means all."""

    underlying: str = ""
    expiry_date: str = ""
    right: int = 0


def known(connection: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Those of `ids` that the master has."""
    found: list[str] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        found += connection.execute(
            select(INSTRUMENTS.c.instrument_id).where(INSTRUMENTS.c.instrument_id.in_(chunk))
        ).scalars()
    return frozenset(found)


def present(connection: Connection) -> dict[str, list[str]]:
    """The instruments that each underlying's newest accepted snapshot had, by underlying."""
    rows = connection.execute(
        select(INSTRUMENTS.c.underlying, INSTRUMENTS.c.instrument_id)
        .where(INSTRUMENTS.c.gone_after_ns.is_(None))
        .order_by(INSTRUMENTS.c.instrument_id)
    )
    by_underlying: dict[str, list[str]] = {}
    for underlying, instrument_id in rows:
        by_underlying.setdefault(underlying, []).append(instrument_id)
    return by_underlying


def add(connection: Connection, rows: Sequence[InstrumentRow]) -> None:
    """Enter new instruments, present from now on."""
    copy_rows(
        connection,
        INSTRUMENTS,
        _COLUMNS,
        (
            (
                row.instrument_id,
                row.kind,
                row.underlying,
                row.root,
                row.right,
                row.strike,
                row.expiry_date,
                row.expiry_ns,
                row.settlement,
                row.exercise,
                row.multiplier,
                row.currency,
                row.tick_below,
                row.tick_threshold,
                row.tick_above,
                row.first_seen_ns,
                None,
            )
            for row in rows
        ),
    )


def mark(connection: Connection, ids: Sequence[str], gone_after_ns: int | None) -> None:
    """Note that `ids` were last seen at `gone_after_ns`, or with None that they are present again."""
    for start in range(0, len(ids), _CHUNK):
        connection.execute(
            update(INSTRUMENTS)
            .where(INSTRUMENTS.c.instrument_id.in_(ids[start : start + _CHUNK]))
            .values(gone_after_ns=gone_after_ns)
        )


def succeed(connection: Connection, successors: Mapping[str, str]) -> None:
    """Note what a corporate action made of instruments: ids after by ids before."""
    for before, after in successors.items():
        for name, value, place in (("successor_id", after, before), ("predecessor_id", before, after)):
            connection.execute(
                update(INSTRUMENTS).where(INSTRUMENTS.c.instrument_id == place).values({name: value})
            )


def instrument(connection: Connection, instrument_id: str) -> InstrumentRow | None:
    """One entry, None if there is none."""
    row = connection.execute(_SELECT.where(INSTRUMENTS.c.instrument_id == instrument_id)).one_or_none()
    return None if row is None else _row(row)


def instruments(
    connection: Connection, query: InstrumentQuery, after: str, limit: int
) -> list[InstrumentRow]:
    """Entries by instrument_id, those behind `after`."""
    wanted = [
        INSTRUMENTS.c.instrument_id > after,
        *matching(
            {
                INSTRUMENTS.c.underlying: query.underlying,
                INSTRUMENTS.c.expiry_date: query.expiry_date,
                INSTRUMENTS.c.option_right: query.right,
            }
        ),
    ]
    rows = connection.execute(_SELECT.where(*wanted).order_by(INSTRUMENTS.c.instrument_id).limit(limit))
    return [_row(row) for row in rows]


_NEWEST = (
    select(func.max(CHAINS.c.time_ns))
    .where(
        CHAINS.c.underlying == INSTRUMENTS.c.underlying, CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED
    )
    .correlate(INSTRUMENTS)
    .scalar_subquery()
)
_SELECT = select(
    *(INSTRUMENTS.c[name] for name in _COLUMNS if name != "gone_after_ns"),
    func.coalesce(INSTRUMENTS.c.gone_after_ns, _NEWEST, INSTRUMENTS.c.first_seen_ns),
    *(INSTRUMENTS.c[name] for name in _LINKS),
)


def _row(row: Any) -> InstrumentRow:
    return InstrumentRow(*row)
