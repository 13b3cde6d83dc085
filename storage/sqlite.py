"""One service's SQLite file: write-ahead log, one writer, snapshot readers, explicit transactions."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event

from skewline.storage.errors import (
    DatabaseCorruptError,
    DatabaseFolderError,
    DatabaseUnreachableError,
    StorageError,
)

Synchronous = Literal["full", "normal"]

_BUSY_SECONDS = 10.0
_READERS = 4
# Pages of 4 kB in the log before they are moved into the file, which waits for the disk: 64 MB.
_CHECKPOINT_PAGES = 16_384
_IN_THE_WAY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)


def prepare_file(folder: Path, service: str) -> Path:
    """The service's file in `folder`, in WAL mode; made if absent. Raises a `StorageError`."""
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DatabaseFolderError(
            f"the folder {folder} {what}", f"create it (mkdir -p {folder}) or name another"
        )
    path = folder / f"{service}.sqlite3"
    try:
        switch_to_wal(path)
    except sqlite3.DatabaseError as error:
        raise explain(error, path) or error from error
    return path


def switch_to_wal(path: Path) -> None:
    """Give the file a write-ahead log, also while others do. Raises DatabaseFolderError, sqlite3's errors."""
    deadline = time.monotonic() + _BUSY_SECONDS
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        while True:
            try:
                if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                    return
            except sqlite3.OperationalError as error:
                # SQLite's busy timeout does not cover this switch: two first starts would fail one another.
                if not _busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)
            if time.monotonic() > deadline:
                raise DatabaseFolderError(
                    f"the file system of {path} does not support write-ahead logging",
                    "name a folder on a local disk",
                )
    finally:
        connection.close()


def _busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explain(error: sqlite3.DatabaseError, path: Path) -> StorageError | None:
    """The configuration error behind what SQLite said about `path`, None where it is about the statement."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return DatabaseCorruptError(
            f"{path} is not a sound SQLite database ({error})",
            "restore it from a backup, or move it away to begin with an empty one",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return DatabaseFolderError(
            f"{path} cannot be opened for writing ({error})",
            "give this user write access to the folder and file",
        )
    if code in _IN_THE_WAY:
        return DatabaseUnreachableError(
            f"{path} cannot be used ({error})", "stop the other process that holds it, or see to the disk"
        )
    return None


def writer_engine(path: Path, synchronous: Synchronous) -> Engine:
    """Write transactions. A pool of one: threads of a process queue up fairly instead of polling the lock."""
    pragmas = (
        "foreign_keys = ON",
        f"synchronous = {synchronous.upper()}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    )
    return _engine(path, "BEGIN IMMEDIATE", pragmas, pool_size=1)


def reader_engine(path: Path) -> Engine:
    """Snapshot reads; a write through it is refused."""
    return _engine(path, "BEGIN", ("query_only = ON",), pool_size=_READERS)


def migration_engine(path: Path) -> Engine:
    """Schema changes. Foreign keys are off, since changing a table means dropping its old form."""
    return _engine(path, "BEGIN IMMEDIATE", ("foreign_keys = OFF", "synchronous = FULL"), pool_size=0)


def _engine(path: Path, begin: str, pragmas: tuple[str, ...], *, pool_size: int) -> Engine:
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30.0}
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS, "isolation_level": None},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    # The driver begins late, and not before DDL; with its isolation_level off, the transaction is ours.
    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
