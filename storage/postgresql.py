"""One service's PostgreSQL schema, through psycopg 3."""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine, event

from skewline.storage.errors import DatabaseRefusedError, DatabaseUnreachableError, StorageError

_CONNECT_SECONDS = 5
_POOL = 5
# The classes of SQLSTATE for a connection that broke and a server that goes down or comes up.
_CONNECTION_CLASSES = ("08", "57")
# What a refusal says, in the order in which it is looked for, and the way out.
_REFUSALS = {
    "password": "correct the password in the URL",
    "no pg_hba.conf entry": "allow this host and role in pg_hba.conf",
    "too many clients": "raise max_connections of the server",
    "connection slots": "raise max_connections of the server",
    'role "': "create the role, or correct the user in the URL",
    'database "': "create the database, or correct its name in the URL",
    "no schema has been selected": "grant the role USAGE and CREATE on the schema of the service's name",
    "permission denied": "grant the role CREATE on the database",
}


def lock_key(service: str) -> int:
    """The advisory lock, an int64, under which a service's schema is made and changed."""
    return int.from_bytes(hashlib.sha256(f"skewline:{service}".encode()).digest()[:8], signed=True)


def prepare_schema(url: URL, service: str) -> None:
    """Make the service's schema if absent. Raises a `StorageError` that does not hold the password."""
    shown = url.render_as_string(hide_password=True)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=_CONNECT_SECONDS) as connection:
            found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (service,)).fetchone()
            if found is None:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(service),))
                connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(service)))
    except psycopg.Error as error:
        raise explain(error, shown) or error from error


def explain(error: psycopg.Error, shown: str) -> StorageError | None:
    """The configuration error behind what server or network said, None where it is about the statement.

    `shown` is the URL without its password.
    """
    said = " ".join(str(error).split())
    lost = error.sqlstate is None or error.sqlstate[:2] in _CONNECTION_CLASSES
    if not lost or "FATAL" in said:
        for words, fix in _REFUSALS.items():
            if words in said:
                return DatabaseRefusedError(f"{shown} refuses ({said})", fix)
    if not lost:
        return None
    return DatabaseUnreachableError(
        f"PostgreSQL does not answer at {shown} ({said})",
        "start the server, or correct host and port in the URL",
    )


def engine(url: URL, service: str) -> Engine:
    """An engine whose every connection sees the service's schema and nothing else.

    Every commit waits for the server's log: without that, a crash of the server alone would take back what
    was already published.
    """
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": _CONNECT_SECONDS},
        pool_size=_POOL,
        max_overflow=0,
        pool_pre_ping=True,
    )

    # First among the listeners: SQLAlchemy asks for the default schema in its own, once.
    @event.listens_for(made, "connect", insert=True)
    def configure(connection: psycopg.Connection[object], _record: object) -> None:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(service)))
        connection.execute("SET synchronous_commit = on")
        connection.commit()

    return made
