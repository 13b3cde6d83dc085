"""TimescaleDB, where the server has it: time tables become hypertables that are compressed as they age.

A table asks for it on its metadata, and nothing else changes::

    Table("chains", metadata, ..., info={HYPERTABLE: Hypertable("time_ns", segment_by=("underlying",))})

A hypertable is cut into chunks by time, and every unique constraint of it must hold the time. The keys of
ours are derived from what they name, its time included, so that a key with the time beside it is as unique as
the key alone: two rows of one id have one time. Who looks up an id still finds it by the constraint's index.

What goes for its age is decided by the services, by the data's own time and for each underlying, which a
retention policy of TimescaleDB cannot say: it would take away what is older than something by one clock. So
there is none; chunks that the services emptied are dropped, which gives their room back at once.

This was run against functions of the same names and signatures, not against the extension itself, which
could not be had: see tests/storage/test_timescale.py.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, UniqueConstraint, inspect, text

_log = logging.getLogger(__name__)

HYPERTABLE: Final = "hypertable"
"""Where a table's `info` holds its Hypertable."""

_DAY_NS: Final = 86_400_000_000_000
# Since then compression is called the columnstore, and the older words will go.
_COLUMNSTORE: Final = (2, 18)
_NOW: Final = "skewline_now_ns"
_EXTENSION: Final = text(
    "SELECT n.nspname, e.extversion FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
    " WHERE e.extname = 'timescaledb'"
)
_OFFERED: Final = text("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'")
_MADE: Final = text(
    "SELECT hypertable_name FROM timescaledb_information.hypertables"
    " WHERE hypertable_schema = current_schema()"
)


@dataclass(frozen=True, slots=True)
class Hypertable:
    """How a table is cut and compressed: by `time`, a column of int64 ns, in chunks of `chunk_days`.

    Chunks older than `compress_after_days` are compressed, rows of one segment together.
    """

    time: str
    segment_by: tuple[str, ...]
    chunk_days: int = 7
    compress_after_days: int = 30


@dataclass(frozen=True, slots=True)
class Timescale:
    """The extension: the schema that its functions are in, and its version."""

    schema: str
    version: tuple[int, ...]


def installed(connection: Connection) -> Timescale | None:
    """The extension of this database, None on SQLite and on plain PostgreSQL."""
    if connection.dialect.name != "postgresql":
        return None
    found = connection.execute(_EXTENSION).one_or_none()
    if found is None:
        return None
    return Timescale(found.nspname, _version(found.extversion))


def waiting(connection: Connection, tables: Iterable[Table]) -> list[Table]:
    """Those of `tables` that ask to be hypertables and are not yet; none without the extension."""
    asking = [table for table in tables if HYPERTABLE in table.info]
    if not asking or connection.dialect.name != "postgresql":
        return []
    if installed(connection) is None:
        if connection.execute(_OFFERED).first() is not None:
            _log.info("TimescaleDB is there: with CREATE EXTENSION timescaledb it is used at the next start")
        return []
    made = set(connection.execute(_MADE).scalars())
    return [table for table in asking if table.name not in made]


def make_hypertables(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Make `waiting` tables hypertables, with what they hold; returns their names. Again changes nothing."""
    timescale = installed(connection)
    if timescale is None:
        return []
    made = []
    for table in waiting(connection, tables):
        _make(connection, timescale, table, table.info[HYPERTABLE])
        made.append(table.name)
    if made:
        _log.info("TimescaleDB %s: %s are hypertables", timescale.version, ", ".join(made))
    return made


def drop_emptied(connection: Connection, table: Table) -> None:
    """Drop the chunks of `table` before its oldest row, if it is a hypertable: nothing is in them."""
    timescale = installed(connection)
    if timescale is None or table.name not in set(connection.execute(_MADE).scalars()):
        return
    hypertable: Hypertable = table.info[HYPERTABLE]
    oldest = connection.execute(text(f"SELECT min({hypertable.time}) FROM {table.name}")).scalar_one()
    if oldest is not None:
        call = "drop_chunks(CAST(:name AS regclass), older_than => CAST(:oldest AS bigint))"
        _call(connection, timescale, call, name=table.name, oldest=oldest)


def _make(connection: Connection, timescale: Timescale, table: Table, hypertable: Hypertable) -> None:
    name, time = table.name, hypertable.time
    _add_time_to_keys(connection, table, time)
    _call(
        connection,
        timescale,
        "create_hypertable(CAST(:name AS regclass), CAST(:time AS name),"
        " chunk_time_interval => CAST(:chunk AS bigint), if_not_exists => true, migrate_data => true)",
        name=name,
        time=time,
        chunk=hypertable.chunk_days * _DAY_NS,
    )
    # Times are integers, of which the extension does not know what now is.
    connection.execute(
        text(
            f"CREATE OR REPLACE FUNCTION {_NOW}() RETURNS bigint LANGUAGE sql STABLE AS"
            " $$ SELECT CAST(extract(epoch FROM now()) * 1000000000 AS bigint) $$"
        )
    )
    _call(
        connection,
        timescale,
        "set_integer_now_func(CAST(:name AS regclass), CAST(:now AS regproc), replace_if_exists => true)",
        name=name,
        now=_NOW,
    )
    after = hypertable.compress_after_days * _DAY_NS
    segment, order = ", ".join(hypertable.segment_by), f"{time} DESC"
    if timescale.version >= _COLUMNSTORE:
        connection.execute(
            text(
                f"ALTER TABLE {name} SET (timescaledb.enable_columnstore,"
                f" timescaledb.segmentby = '{segment}', timescaledb.orderby = '{order}')"
            )
        )
        procedure = f'CALL "{timescale.schema}".add_columnstore_policy'
        arguments = "(CAST(:name AS regclass), after => CAST(:after AS bigint), if_not_exists => true)"
        connection.execute(text(procedure + arguments), {"name": name, "after": after})
        return
    connection.execute(
        text(
            f"ALTER TABLE {name} SET (timescaledb.compress,"
            f" timescaledb.compress_segmentby = '{segment}', timescaledb.compress_orderby = '{order}')"
        )
    )
    _call(
        connection,
        timescale,
        "add_compression_policy(CAST(:name AS regclass), compress_after => CAST(:after AS bigint),"
        " if_not_exists => true)",
        name=name,
        after=after,
    )


def _add_time_to_keys(connection: Connection, table: Table, time: str) -> None:
    """Make the primary key and every unique constraint hold `time` too."""
    inspector = inspect(connection)
    primary = inspector.get_pk_constraint(table.name)
    _rekey(connection, table.name, str(primary["name"]), "PRIMARY KEY", primary["constrained_columns"], time)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            columns = [column.name for column in constraint.columns]
            _rekey(connection, table.name, str(constraint.name), "UNIQUE", columns, time)


def _rekey(
    connection: Connection, table: str, name: str, kind: str, columns: Sequence[str], time: str
) -> None:
    if time not in columns:
        key = ", ".join((*columns, time))
        connection.execute(
            text(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {kind} ({key})")
        )


def _call(connection: Connection, timescale: Timescale, call: str, **arguments: object) -> None:
    # A service's connections see its own schema only.
    connection.execute(text(f'SELECT "{timescale.schema}".{call}'), arguments)


def _version(said: str) -> tuple[int, ...]:
    return tuple(int(part) for part in said.split("-")[0].split(".") if part.isdecimal())
