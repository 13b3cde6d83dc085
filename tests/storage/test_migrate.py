import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from skewline.storage import event_log, inbox, migrate
from skewline.storage.database import Database
from skewline.storage.errors import SchemaTooNewError

SERVICES = ["marketdata", "calibration", "signal", "risk", "order"]
OPEN_AND_WRITE = """
import sys
from skewline.storage import inbox
from skewline.storage.database import Database
print("ready", flush=True)
sys.stdin.readline()
with Database.open(sys.argv[1], "order") as database, database.begin() as connection:
    inbox.record(connection, sys.argv[2], 1)
"""


def tables(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


@pytest.mark.parametrize("service", SERVICES)
def test_up_down_up_gives_the_declared_tables(database_url: str, service: str) -> None:
    with Database.open(database_url, service) as database:
        assert migrate.differences(database) == []
        everything = tables(database)
        assert everything == set(migrate.declared(service).tables)
        migrate.downgrade(database)
        assert tables(database) == set()
        migrate.upgrade(database)
        assert tables(database) == everything
        assert migrate.differences(database) == []


def test_events_logged_before_they_were_compressed_are_read_as_they_were(database: Database) -> None:
    payloads = [b"", b"short", b"long " * 5_000, bytes(range(256))]
    with database.begin() as connection:
        for number, payload in enumerate(payloads):
            event_log.append(
                connection, event_id=f"e{number}", subject="signal.SPX", time_ns=number, payload=payload
            )
    migrate.downgrade(database, "common_0002")
    with database.read() as connection:
        plain = connection.execute(text("SELECT payload FROM event_log ORDER BY sequence")).scalars()
        assert [bytes(payload) for payload in plain] == payloads
    migrate.upgrade(database)
    with database.read() as connection:
        assert [event.payload for event in event_log.since(connection, 0, limit=9)] == payloads


def test_a_missing_column_is_seen_as_a_difference(database: Database) -> None:
    with database.changing_schema() as connection:
        connection.execute(text("ALTER TABLE inbox DROP COLUMN time_ns"))
    assert [difference[0] for difference in migrate.differences(database)] == ["add_column"]


def test_every_service_with_tables_is_checked() -> None:
    rooms = [Path(str(room)) for room in files("skewline.storage").iterdir()]
    assert {room.name for room in rooms if (room / "tables.py").exists()} <= set(SERVICES)


def test_tables_of_a_newer_version_are_left_alone(database_url: str) -> None:
    with Database.open(database_url, "order") as database, database.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('order_9999')"))
    with pytest.raises(SchemaTooNewError, match=r"database\.url: .*order_9999.*newer version of Skewline"):
        Database.open(database_url, "order")


def test_a_failing_migration_changes_nothing(database: Database) -> None:
    migrate.downgrade(database)

    def fail_at_the_end(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half_done (id INTEGER)"))
        raise LookupError

    with pytest.raises(LookupError), database.changing_schema() as connection:
        fail_at_the_end(connection)
    assert tables(database) == set()


def test_an_up_to_date_database_opens_while_another_process_writes(database_url: str) -> None:
    with Database.open(database_url, "order") as database, database.begin() as connection:
        inbox.record(connection, "a", 1)
        Database.open(database_url, "order").close()


def test_processes_that_start_at_once_share_one_first_migration(database_url: str) -> None:
    command = [sys.executable, "-c", OPEN_AND_WRITE, database_url]
    processes = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    with Database.open(database_url, "order") as database, database.read() as connection:
        assert all(inbox.seen(connection, str(number)) for number in range(3))
