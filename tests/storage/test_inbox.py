from contextlib import suppress

import pytest
from sqlalchemy.exc import IntegrityError

from skewline.storage import inbox
from skewline.storage.database import Database


def test_an_event_is_seen_once_recorded(database: Database) -> None:
    with database.begin() as connection:
        assert not inbox.seen(connection, "a")
        inbox.record(connection, "a", 1)
        assert inbox.seen(connection, "a")
    with database.read() as connection:
        assert inbox.seen(connection, "a")
        assert not inbox.seen(connection, "A")


def test_an_event_of_a_failed_transaction_is_not_seen(database: Database) -> None:
    with suppress(LookupError), database.begin() as connection:
        inbox.record(connection, "a", 1)
        raise LookupError
    with database.read() as connection:
        assert not inbox.seen(connection, "a")


def test_recording_twice_is_refused(database: Database) -> None:
    with database.begin() as connection:
        inbox.record(connection, "a", 1)
    with pytest.raises(IntegrityError), database.begin() as connection:
        inbox.record(connection, "a", 1)


def test_pruning_keeps_what_was_recorded_last_whatever_its_time(database: Database) -> None:
    with database.begin() as connection:
        for time_ns in (30, 10, 20):
            inbox.record(connection, f"at {time_ns}", time_ns)
        assert inbox.prune(connection, 2) == 1
        assert [inbox.seen(connection, f"at {time_ns}") for time_ns in (30, 10, 20)] == [False, True, True]
        inbox.record(connection, "at 40", 40)
        assert inbox.prune(connection, 2) == 1
        assert not inbox.seen(connection, "at 10")


def test_pruning_an_empty_inbox_changes_nothing(database: Database) -> None:
    with database.begin() as connection:
        assert inbox.prune(connection, 2) == 0
