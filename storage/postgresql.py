"""One service's PostgreSQL schema, through psycopg 3."""

from __future__ import annotations

import hashlib

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, create_engine, event

from skewline.storage.errors import DatabaseRefusedError, DatabaseUnreachableError
from skewline.storage.sqlite import Synchronous

_CONNECT_SECONDS = 5
_POOL = 5
_REFUSALS = {
    "password": "correct the password in the URL",
    "no pg_hba.conf entry": "allow this host and role in pg_hba.conf",
    "role": "create the role, or correct the user in the URL",
    "does not exist": "create the database, or correct its name in the URL",
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
        raise explain(error, shown) from error


def explain(error: psycopg.Error, shown: str) -> DatabaseRefusedError | DatabaseUnreachableError:
    """The configuration error behind what server or network said; `shown` is the URL without its password."""
    said = " ".join(str(error).split())
    if "FATAL" in said or error.sqlstate is not None:
        for words, fix in _REFUSALS.items():
            if words in said:
                return DatabaseRefusedError(f"{shown} refused the connection ({said})", fix)
    return DatabaseUnreachableError(
        f"no PostgreSQL answers at {shown} ({said})", "start the server, or correct host and port in the URL"
    )


def engine(url: URL, service: str, synchronous: Synchronous) -> Engine:
    """An engine whose every connection sees the service's schema and nothing else."""
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": _CONNECT_SECONDS},
        pool_size=_POOL,
        max_overflow=0,
        pool_pre_ping=True,
    )
    commit = "on" if synchronous == "full" else "off"

    # First among the listeners: SQLAlchemy asks for the default schema in its own, once.
    @event.listens_for(made, "connect", insert=True)
    def configure(connection: psycopg.Connection[object], _record: object) -> None:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(service)))
        connection.execute(f"SET synchronous_commit = {commit}")
        connection.commit()

    return made
