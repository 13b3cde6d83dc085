from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Column, Double, Integer, MetaData, Table, Text, insert, select, text

from skewline.storage.bulk import copy_rows
from skewline.storage.columns import Blob, ExactDecimal, NanoTime
from skewline.storage.database import Database

QUOTES = Table(
    "odd Quotes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("Bid", Double),
    Column("size", ExactDecimal),
    Column("time_ns", NanoTime),
    Column("note", Text),
    Column("blob", Blob(compressed=True)),
)
NAMES = [column.name for column in QUOTES.columns]


@pytest.fixture
def table(database: Database) -> Table:
    with database.changing_schema() as connection:
        QUOTES.create(connection)
    return QUOTES


def row(number: int) -> tuple[Any, ...]:
    return (
        number,
        number + 0.1,
        Decimal(number) / 8,
        number * 10**15,
        f'tab\t"\\N{number}\n',
        b"\x00\\" * number,
    )


def test_rows_come_back_as_they_were_given(database: Database, table: Table) -> None:
    rows = [row(number) for number in range(100)] + [(100, None, None, None, None, None)]
    with database.begin() as connection:
        assert copy_rows(connection, table, NAMES, iter(rows)) == 101
    with database.read() as connection:
        assert [tuple(found) for found in connection.execute(select(table).order_by(table.c.id))] == rows


def test_more_rows_than_one_statement_takes_are_all_there(database: Database, table: Table) -> None:
    with database.begin() as connection:
        assert copy_rows(connection, table, ["id"], ((number,) for number in range(12_001))) == 12_001


def test_copying_is_part_of_the_transaction(database: Database, table: Table) -> None:
    with suppress(LookupError), database.begin() as connection:
        copy_rows(connection, table, NAMES, [row(1)])
        raise LookupError
    with database.read() as connection:
        assert connection.execute(select(table)).all() == []


def test_no_rows_are_no_error(database: Database, table: Table) -> None:
    with database.begin() as connection:
        assert copy_rows(connection, table, NAMES, []) == 0


def test_a_row_of_another_length_is_refused(database: Database, table: Table) -> None:
    with pytest.raises(ValueError, match="zip"), database.begin() as connection:
        copy_rows(connection, table, ["id", "note"], [(1, "a"), (2,)])
    with database.read() as connection:
        assert connection.execute(select(table)).all() == []


def test_an_unknown_column_is_refused(database: Database, table: Table) -> None:
    with pytest.raises(KeyError, match="ask"), database.begin() as connection:
        copy_rows(connection, table, ["ask"], [(1,)])


def test_postgresql_takes_them_by_copy(postgres_url: str) -> None:
    """A rule does away with every INSERT; COPY does not go by rules."""
    with Database.open(postgres_url, "storage_test") as database:
        with database.changing_schema() as connection:
            QUOTES.create(connection)
            connection.execute(text('CREATE RULE none AS ON INSERT TO "odd Quotes" DO INSTEAD NOTHING'))
        with database.begin() as connection:
            connection.execute(insert(QUOTES), dict(zip(NAMES, row(0), strict=True)))
            assert copy_rows(connection, QUOTES, NAMES, [row(1), row(2)]) == 2
            assert connection.execute(select(QUOTES.c.id).order_by(QUOTES.c.id)).scalars().all() == [1, 2]
