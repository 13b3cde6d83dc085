"""A service's own database: a SQLite file or a PostgreSQL schema behind one small interface."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from skewline.storage import migrate, postgresql, sqlite
from skewline.storage.errors import DatabaseUnreachableError, DatabaseUrlError, StorageError
from skewline.storage.sqlite import Synchronous

_FORMS = (
    "write sqlite:///FOLDER (a file is made for each service) or postgresql://USER:PASSWORD@HOST/DATABASE"
)
_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,40}")
_POSTGRESQL = ("postgresql", "postgres")


class Database:
    """One service's database. Thread-safe: each `begin` and `read` has a connection of its own.

    `service` is its name, `dialect` is "sqlite" or "postgresql", `shown_url` is fit for logs (no password).
    """

    def __init__(
        self,
        service: str,
        shown_url: str,
        writer: Engine,
        reader: Engine,
        migrator: Engine,
        explain: Callable[[DBAPIError], StorageError | None],
    ) -> None:
        self.service = service
        self.shown_url = shown_url
        self.dialect: str = writer.dialect.name
        self._writer = writer
        self._reader = reader
        self._migrator = migrator
        self._explain = explain

    @classmethod
    def open(
        cls, url: str, service: str, *, synchronous: Synchronous = "full", upgrade: bool = True
    ) -> Database:
        """Open `service`'s database at `url` and bring its tables up to date (unless `upgrade` is False).

        `url` is `sqlite:///FOLDER` (the file is FOLDER/<service>.sqlite3; an absolute folder makes it four
        slashes) or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE` (the schema is named after the service).
        `synchronous`: "full" survives a power cut; "normal" only the death of the process, and is faster, on
        SQLite. On PostgreSQL both are "full".
        Raises a `StorageError` that names the setting and the fix.
        """
        if not _SERVICE.fullmatch(service):
            raise ValueError(f"service {service!r} must be lower-case letters, digits and underscores")
        if synchronous not in ("full", "normal"):
            raise ValueError(f"database.synchronous: {synchronous!r} must be 'full' or 'normal'")
        database = cls._connected(_parsed(url), service, synchronous)
        if upgrade:
            try:
                migrate.upgrade(database)
            except DBAPIError as error:
                database.close()
                raise database._explain(error) or error from error
            except BaseException:
                database.close()
                raise
        return database

    @classmethod
    def _connected(cls, url: URL, service: str, synchronous: Synchronous) -> Database:
        shown = url.render_as_string(hide_password=True)
        if url.drivername == "sqlite":
            path = sqlite.prepare_file(Path(url.database or ""), service)
            return cls(
                service,
                shown,
                sqlite.writer_engine(path, synchronous),
                sqlite.reader_engine(path),
                sqlite.migration_engine(path),
                lambda error: (
                    sqlite.explain(error.orig, path)
                    if isinstance(error.orig, sqlite3.DatabaseError)
                    else None
                ),
            )
        postgresql.prepare_schema(url, service)
        engine = postgresql.engine(url, service)
        return cls(
            service,
            shown,
            engine,
            engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True),
            engine,
            lambda error: (
                postgresql.explain(error.orig, shown) if isinstance(error.orig, psycopg.Error) else None
            ),
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back whole if the block raises.

        Raises a `StorageError` if it cannot begin or the database goes away inside the block, when a commit
        may have been done or not; errors of statements are SQLAlchemy's own.
        """
        with self._transaction(self._writer) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction that sees one moment of the database throughout; it refuses writes."""
        with self._transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def changing_schema(self) -> Iterator[Connection]:
        """A write transaction that may change tables, one at a time over all processes: for migrations."""
        with self._transaction(self._migrator) as connection:
            if self.dialect == "postgresql":
                connection.execute(
                    sqlalchemy.select(
                        sqlalchemy.func.pg_advisory_xact_lock(postgresql.lock_key(self.service))
                    )
                )
            yield connection
            if self.dialect == "sqlite" and (
                orphans := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            ):
                raise RuntimeError(f"a migration left rows without their parent: {orphans[:5]}")

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise self._explain(error) or error from error
        with connection:
            try:
                transaction = connection.begin()
            except DBAPIError as error:
                raise self._explain(error) or error from error
            try:
                with transaction:
                    yield connection
            except (OperationalError, InterfaceError) as error:
                lost = self._explain(error)
                if isinstance(lost, DatabaseUnreachableError):
                    raise lost from error
                raise

    def ping(self) -> None:
        """Ask the database for one value. Raises `StorageError` where it does not answer."""
        with self.read() as connection:
            connection.execute(sqlalchemy.select(sqlalchemy.literal(1))).scalar_one()

    def close(self) -> None:
        """Close every idle connection; the object is not used again."""
        for engine in (self._writer, self._reader, self._migrator):
            engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The text itself stays out of the message: it may hold a password.
        raise DatabaseUrlError("not a database URL", _FORMS) from error
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseUrlError(f"{shown} names no folder", _FORMS)
        return parsed
    if parsed.drivername.split("+")[0] not in _POSTGRESQL:
        raise DatabaseUrlError(f"{shown} names an unsupported database", _FORMS)
    if not parsed.database:
        raise DatabaseUrlError(f"{shown} names no database", _FORMS)
    return parsed.set(drivername="postgresql")
