"""The tables that every service's database has, and the metadata that its own tables are declared on."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, false, text

from skewline.storage.columns import Blob, NanoTime

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Metadata for one service's tables; constraints get the same names on SQLite and PostgreSQL."""
    return MetaData(naming_convention=_NAMING)


metadata = new_metadata()

# SQLite counts rows itself only in a column that is INTEGER to the letter.
Sequence64 = BigInteger().with_variant(Integer(), "sqlite")

INBOX = Table(
    "inbox",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("time_ns", NanoTime, nullable=False),
    # The order of recording.
    Column("place", BigInteger, nullable=False, server_default=text("0"), index=True),
)

EVENT_LOG = Table(
    "event_log",
    metadata,
    Column("sequence", Sequence64, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("payload", Blob(compressed=True), nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("published", Boolean, nullable=False, server_default=false()),
    # A number is never used twice, also after the newest rows were pruned.
    sqlite_autoincrement=True,
)

Index(
    "ix_event_log_unpublished",
    EVENT_LOG.c.sequence,
    sqlite_where=text("published = 0"),
    postgresql_where=text("NOT published"),
)
