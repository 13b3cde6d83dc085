"""Many rows at once, by the fastest way that the database has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Table, insert

_CHUNK = 5_000


def copy_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Insert `rows`, each with one value per name in `columns`, in the open transaction; returns how many.

    COPY on PostgreSQL, executemany on SQLite. Column types convert as in any insert; give a value for every
    column that has its default in Python. Raises `ValueError` for a row of another length, `KeyError` for an
    unknown column.
    """
    targets = [table.c[name] for name in columns]
    if conn.dialect.name == "postgresql":
        return _copy(conn, table, targets, rows)
    statement, done, pending = insert(table), 0, iter(rows)
    while chunk := [dict(zip(columns, row, strict=True)) for row in islice(pending, _CHUNK)]:
        conn.execute(statement, chunk)
        done += len(chunk)
    return done


def _copy(
    conn: Connection, table: Table, targets: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> int:
    dialect = conn.dialect
    converters = [target.type.dialect_impl(dialect).bind_processor(dialect) for target in targets]
    names = ", ".join(dialect.identifier_preparer.format_column(target) for target in targets)
    statement = f"COPY {dialect.identifier_preparer.format_table(table)} ({names}) FROM STDIN"
    driver: Any = conn.connection.driver_connection
    done = 0
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(
                [
                    value if converter is None else converter(value)
                    for converter, value in zip(converters, row, strict=True)
                ]
            )
            done += 1
    return done
