"""What was not let through, in and out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from skewline.storage.listing import behind, matching, within
from skewline.storage.marketdata.tables import QUARANTINE
from skewline.v1 import quarantine_pb2

_TABLE: Final = QUARANTINE
# Below the number of parameters that any build of SQLite takes in one statement.
_AT_ONCE: Final = 500
_NAMES: Final = tuple(field.name for field in quarantine_pb2.QuarantineEntry.DESCRIPTOR.fields)
_ADD: Final = {
    dialect: insert(_TABLE).on_conflict_do_nothing()
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_ENTRY: Final = select(*(_TABLE.c[name] for name in _NAMES))


@dataclass(frozen=True, slots=True)
class Held:
    """An entry with its content: a serialised chain, a message's bytes, or None for a whole snapshot."""

    entry: quarantine_pb2.QuarantineEntry
    content: bytes | None


@dataclass(frozen=True, slots=True)
class QuarantineQuery:
    """Which entries: empty or 0 means all; `from_ns` is inclusive, `to_ns` exclusive."""

    underlying: str = ""
    reason: str = ""
    kind: int = 0
    from_ns: int = 0
    to_ns: int = 0

    def wanted(self) -> list[ColumnElement[bool]]:
        """Its conditions."""
        columns = {
            _TABLE.c.underlying: self.underlying,
            _TABLE.c.reason: self.reason,
            _TABLE.c.kind: self.kind,
        }
        return [*matching(columns), *within(_TABLE.c.time_ns, self.from_ns, self.to_ns)]


def add(connection: Connection, held: Sequence[Held]) -> None:
    """Store entries; one that is stored already stays as it is."""
    if held:
        rows = [
            {**{name: getattr(one.entry, name) for name in _NAMES}, "content": one.content} for one in held
        ]
        connection.execute(_ADD[connection.dialect.name], rows)


def add_message(connection: Connection, held: Held, keep: int) -> None:
    """Store a message, once however often it comes; of all messages the newest `keep` stay."""
    add(connection, [held])
    messages = select(_TABLE.c.entry_id).where(_TABLE.c.kind == held.entry.kind)
    surplus = messages.order_by(_TABLE.c.time_ns.desc(), _TABLE.c.entry_id).offset(keep).limit(_AT_ONCE)
    gone = connection.execute(surplus).scalars().all()
    if gone:
        connection.execute(delete(_TABLE).where(_TABLE.c.entry_id.in_(gone)))


def entry(connection: Connection, entry_id: str) -> Held | None:
    """One entry with its content, None if it is not stored."""
    columns = _ENTRY.add_columns(_TABLE.c.content)
    row = connection.execute(columns.where(_TABLE.c.entry_id == entry_id)).one_or_none()
    return None if row is None else Held(_entry_of(row[:-1]), row[-1])


def entries(
    connection: Connection, query: QuarantineQuery, after: tuple[int, str] | None, limit: int
) -> list[quarantine_pb2.QuarantineEntry]:
    """Newest first; `after` is the (time_ns, entry_id) of the last one of the page before."""
    wanted = [*query.wanted(), *behind(_TABLE.c.time_ns, _TABLE.c.entry_id, after)]
    order = (_TABLE.c.time_ns.desc(), _TABLE.c.entry_id)
    return [_entry_of(row) for row in connection.execute(_ENTRY.where(*wanted).order_by(*order).limit(limit))]


def counts(
    connection: Connection,
    query: QuarantineQuery,
    interval_ns: int,
    after: tuple[int, str, str, int] | None,
    limit: int,
) -> list[quarantine_pb2.QuarantineCount]:
    """By start of the interval, underlying, reason and kind, which `after` states; 0 is one interval."""
    start = _TABLE.c.time_ns - _TABLE.c.time_ns % interval_ns if interval_ns else literal(0)
    grouped = (
        select(
            start.label("start_ns"),
            _TABLE.c.underlying,
            _TABLE.c.reason,
            _TABLE.c.kind,
            func.count().label("entries"),
            func.sum(_TABLE.c.contracts).label("contracts"),
        )
        .where(*query.wanted())
        .group_by("start_ns", _TABLE.c.underlying, _TABLE.c.reason, _TABLE.c.kind)
        .subquery()
    )
    key = (grouped.c.start_ns, grouped.c.underlying, grouped.c.reason, grouped.c.kind)
    listed = select(grouped).order_by(*key).limit(limit)
    if after is not None:
        listed = listed.where(tuple_(*key) > tuple_(*(literal(part) for part in after)))
    return [
        quarantine_pb2.QuarantineCount(
            start_ns=row.start_ns,
            underlying=row.underlying,
            reason=row.reason,
            kind=row.kind,
            entries=row.entries,
            contracts=int(row.contracts),
        )
        for row in connection.execute(listed)
    ]


def _entry_of(row: Sequence[Any]) -> quarantine_pb2.QuarantineEntry:
    return quarantine_pb2.QuarantineEntry(**dict(zip(_NAMES, row, strict=True)))
