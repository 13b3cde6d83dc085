import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from skewline.storage import inbox
from skewline.storage.database import Database
from skewline.storage.schema import INBOX


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(INBOX)).scalar_one()


def test_a_block_that_ends_is_committed(database: Database) -> None:
    with database.begin() as connection:
        inbox.record(connection, "a", 1)
    assert count(database) == 1


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with suppress(LookupError), database.begin() as connection:
        inbox.record(connection, "a", 1)
        inbox.record(connection, "b", 2)
        raise LookupError
    assert count(database) == 0


def test_a_reader_sees_one_moment_while_a_writer_commits(database: Database) -> None:
    with database.read() as before:
        assert before.execute(select(func.count()).select_from(INBOX)).scalar_one() == 0
        with database.begin() as connection:
            inbox.record(connection, "a", 1)
        assert before.execute(select(func.count()).select_from(INBOX)).scalar_one() == 0
    assert count(database) == 1


def test_a_write_through_a_reader_is_refused(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read"), database.read() as connection:
        inbox.record(connection, "a", 1)
    assert count(database) == 0
    with database.begin() as connection:
        inbox.record(connection, "a", 1)


def test_threads_write_at_once_without_losing_a_row(database: Database) -> None:
    ready = threading.Barrier(4)

    def write(writer: int) -> None:
        ready.wait(10)
        for number in range(20):
            with database.begin() as connection:
                inbox.record(connection, f"{writer}-{number}", number)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(write, writer) for writer in range(4)]:
            done.result(30)
    assert count(database) == 80


def test_what_was_committed_is_there_after_reopening(database_url: str) -> None:
    with Database.open(database_url, "storage_test") as database, database.begin() as connection:
        inbox.record(connection, "a", 1)
    with Database.open(database_url, "storage_test") as database:
        database.ping()
        assert count(database) == 1


def test_services_at_one_url_do_not_see_each_other(database_url: str) -> None:
    with Database.open(database_url, "first") as first, Database.open(database_url, "second") as second:
        with first.begin() as connection:
            inbox.record(connection, "a", 1)
        assert (count(first), count(second)) == (1, 0)


@pytest.mark.parametrize(("synchronous", "pragma"), [("full", 2), ("normal", 1)])
def test_sqlite_is_set_for_durability_and_integrity(tmp_path: Path, synchronous: str, pragma: int) -> None:
    url = f"sqlite:///{tmp_path}"
    with Database.open(url, "order", synchronous=synchronous) as database, database.begin() as connection:  # type: ignore[arg-type]
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": pragma, "foreign_keys": 1}
