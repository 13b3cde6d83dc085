"""Hypertables, on a real PostgreSQL with functions of TimescaleDB's signatures that note their calls.

The extension itself could not be had: what is held here is that our statements are such as PostgreSQL takes,
that they say what they should, and that uniqueness and lookups stay. Its `ALTER TABLE … SET (timescaledb.…)`
is noted and not run, since plain PostgreSQL does not know the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError

from skewline.storage import migrate, timescale
from skewline.storage.database import Database
from skewline.storage.marketdata import chains, retention
from skewline.storage.marketdata.chains import ChainQuery
from skewline.v1 import chain_pb2

ACCEPTED = chain_pb2.CHAIN_STATUS_ACCEPTED
DAYS_30, WEEK = 30 * DAY_NS, 7 * DAY_NS
TABLES = ["bars", "chains", "order_books", "quarantine"]

EXTENSION = """
CREATE SCHEMA ts;
CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.hypertables (hypertable_schema name, hypertable_name name);
CREATE TABLE ts.calls (place serial, said text);
CREATE FUNCTION ts.create_hypertable(
    relation regclass, time_column_name name, partitioning_column name = NULL,
    number_partitions integer = NULL,
    associated_schema_name name = NULL, associated_table_prefix name = NULL,
    chunk_time_interval anyelement = NULL::bigint, create_default_indexes boolean = TRUE,
    if_not_exists boolean = FALSE, partitioning_func regproc = NULL, migrate_data boolean = FALSE,
    chunk_target_size text = NULL, chunk_sizing_func regproc = NULL, time_partitioning_func regproc = NULL
) RETURNS TABLE (hypertable_id int, schema_name name, table_name name, created bool) LANGUAGE plpgsql AS $$
BEGIN
    -- As the extension does.
    IF EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisunique AND NOT EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = ANY (i.indkey)
        AND a.attname = time_column_name))
    THEN RAISE EXCEPTION 'cannot create a unique index without the column "%"', time_column_name; END IF;
    INSERT INTO timescaledb_information.hypertables SELECT n.nspname, c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
    INSERT INTO ts.calls (said) VALUES (format('create_hypertable %s %s %s', relation::text, time_column_name,
        chunk_time_interval));
    RETURN;
END $$;
CREATE FUNCTION ts.set_integer_now_func(hypertable regclass, integer_now_func regproc,
    replace_if_exists bool = false) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO ts.calls (said) VALUES (format('now %s %s', hypertable::text, integer_now_func::text)) $$;
CREATE FUNCTION ts.add_compression_policy(hypertable regclass, compress_after anyelement = NULL::bigint,
    if_not_exists bool = false, schedule_interval interval = NULL) RETURNS integer LANGUAGE sql AS
    $$ INSERT INTO ts.calls (said) VALUES (format('compress %s %s', hypertable::text, compress_after));
       SELECT 1 $$;
CREATE PROCEDURE ts.add_columnstore_policy(hypertable regclass, after anyelement = NULL::bigint,
    if_not_exists bool = false, schedule_interval interval = NULL) LANGUAGE sql AS
    $$ INSERT INTO ts.calls (said) VALUES (format('columnstore %s %s', hypertable::text, after)) $$;
CREATE FUNCTION ts.drop_chunks(relation regclass, older_than anyelement = NULL::bigint,
    newer_than anyelement = NULL::bigint, verbose boolean = false) RETURNS SETOF text LANGUAGE sql AS
    $$ INSERT INTO ts.calls (said) VALUES (format('drop_chunks %s %s', relation::text, older_than));
       SELECT ''::text WHERE false $$;
"""


def extended(url: str, version: str) -> None:
    """Give the database what an installed extension shows of itself."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in ("SET allow_system_table_mods = on", EXTENSION):
            connection.execute(statement.encode())
        connection.execute(
            b"INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
            b" SELECT 99999, 'timescaledb', 10, oid, false, %s FROM pg_namespace WHERE nspname = 'ts'",
            [version],
        )


@pytest.fixture
def options() -> Iterator[list[str]]:
    """The statements in TimescaleDB's own words, in place of which nothing is run."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> tuple[str, Any]:
        if "SET (timescaledb." not in statement:
            return statement, parameters
        said.append(statement)
        return "SELECT 1", ()

    event.listen(Engine, "before_cursor_execute", note, retval=True)
    yield said
    event.remove(Engine, "before_cursor_execute", note)


def calls(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT said FROM ts.calls ORDER BY place")).scalars())


def stored(database: Database, name: str, time_ns: int, underlying: str = "XYZ") -> None:
    chain = small_chain(underlying=underlying, time_ns=time_ns)
    summary = chain_pb2.ChainSummary(
        snapshot_id=name, underlying=underlying, time_ns=time_ns, status=ACCEPTED, spot=100.0
    )
    with database.begin() as connection:
        chains.add(connection, summary, chain)


@pytest.mark.parametrize(
    ("version", "policy", "words"),
    [
        ("2.17.2", "compress", "timescaledb.compress, timescaledb.compress_segmentby = 'underlying'"),
        ("2.18.0-dev", "columnstore", "timescaledb.enable_columnstore, timescaledb.segmentby = 'underlying'"),
    ],
)
def test_time_tables_become_hypertables_at_the_first_start(
    postgres_url: str, options: list[str], version: str, policy: str, words: str
) -> None:
    extended(postgres_url, version)
    with Database.open(postgres_url, "marketdata") as database:
        said = calls(database)
        assert [each for each in said if each.startswith("create")] == [
            f"create_hypertable bars start_ns {90 * DAY_NS}",
            f"create_hypertable chains time_ns {WEEK}",
            f"create_hypertable order_books time_ns {WEEK}",
            f"create_hypertable quarantine time_ns {WEEK}",
        ]
        assert [each for each in said if each.startswith(policy)] == [
            f"{policy} {name} {DAYS_30}" for name in TABLES
        ]
        assert [each for each in said if each.startswith("now")] == [
            f"now {name} skewline_now_ns" for name in TABLES
        ]
        assert any(words in statement for statement in options)
        assert migrate.differences(database) == []
    with Database.open(postgres_url, "marketdata") as database:
        assert calls(database) == said


def test_a_database_that_has_data_gets_them_when_the_extension_comes(
    postgres_url: str, options: list[str]
) -> None:
    with Database.open(postgres_url, "marketdata") as database:
        stored(database, "a", FRIDAY_NS)
    extended(postgres_url, "2.20.1")
    with Database.open(postgres_url, "marketdata") as database:
        assert len(calls(database)) == 3 * len(TABLES)
        with database.read() as connection:
            assert chains.newest_id(connection, "XYZ") == "a"
        with pytest.raises(IntegrityError):
            stored(database, "a", FRIDAY_NS)
        stored(database, "b", FRIDAY_NS + MINUTE_NS)
        with database.read() as connection:
            listed = chains.summaries(connection, ChainQuery(), None, 10)
            assert [summary.snapshot_id for summary in listed] == ["b", "a"]


def test_surfaces_keep_their_numbers_and_their_uniqueness(postgres_url: str, options: list[str]) -> None:
    extended(postgres_url, "2.20.1")
    keys = text(
        "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = CAST('surfaces' AS regclass) AND contype IN ('p', 'u') ORDER BY 1"
    )
    with Database.open(postgres_url, "calibration") as database, database.read() as connection:
        assert list(connection.execute(keys).scalars()) == [
            "pk_surfaces PRIMARY KEY (number, time_ns)",
            "uq_surfaces_snapshot_id UNIQUE (snapshot_id, time_ns)",
            "uq_surfaces_surface_id UNIQUE (surface_id, time_ns)",
        ]


def test_chunks_that_retention_emptied_are_dropped(postgres_url: str, options: list[str]) -> None:
    extended(postgres_url, "2.20.1")
    with Database.open(postgres_url, "marketdata") as database:
        for day in (0, 3, 6):
            stored(database, f"day {day}", FRIDAY_NS + day * DAY_NS)
        with database.begin() as connection:
            assert retention.delete_expired(connection, ACCEPTED, 4 * DAY_NS, 10) == ["day 0"]
            retention.give_back(connection)
        assert calls(database)[-1] == f"drop_chunks chains {FRIDAY_NS + 3 * DAY_NS}"


def test_without_the_extension_tables_stay_as_they_are(database_url: str) -> None:
    with Database.open(database_url, "marketdata") as database:
        with database.read() as connection:
            assert timescale.installed(connection) is None
            assert timescale.waiting(connection, migrate.own_tables("marketdata")) == []
        with database.begin() as connection:
            retention.give_back(connection)
            assert timescale.make_hypertables(connection, migrate.own_tables("marketdata")) == []
