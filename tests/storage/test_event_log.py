from contextlib import suppress

import pytest
from sqlalchemy import Connection

from skewline.storage import event_log
from skewline.storage.database import Database
from skewline.storage.event_log import LoggedEvent


def append(connection: Connection, event_id: str, subject: str = "signal.SPX") -> int:
    return event_log.append(
        connection,
        event_id=event_id,
        subject=subject,
        time_ns=7,
        payload=event_id.encode(),
        traceparent="00-t-s-01",
    )


def test_an_event_comes_back_as_logged(database: Database) -> None:
    with database.begin() as connection:
        sequence = append(connection, "a")
    with database.read() as connection:
        assert event_log.since(connection, 0, limit=10) == [
            LoggedEvent(sequence, "a", "signal.SPX", 7, b"a", "00-t-s-01")
        ]


def test_sequences_rise_over_transactions_and_restarts(database_url: str) -> None:
    sequences = []
    for event_id in "abc":
        with Database.open(database_url, "order") as database, database.begin() as connection:
            sequences += [append(connection, event_id), append(connection, event_id * 2)]
    assert sequences == sorted(set(sequences))


def test_the_same_event_again_adds_nothing(database: Database) -> None:
    with database.begin() as connection:
        first = append(connection, "a")
        append(connection, "b")
    with database.begin() as connection:
        assert append(connection, "a") == first
        assert [event.event_id for event in event_log.since(connection, 0, limit=10)] == ["a", "b"]


def test_a_rolled_back_event_is_not_logged_and_its_number_breaks_nothing(database: Database) -> None:
    with database.begin() as connection:
        before = append(connection, "a")
    with suppress(LookupError), database.begin() as connection:
        append(connection, "lost")
        raise LookupError
    with database.begin() as connection:
        after = append(connection, "b")
        assert after > before
        assert [event.event_id for event in event_log.unpublished(connection, 10)] == ["a", "b"]


def test_the_outbox_empties_in_order(database: Database) -> None:
    with database.begin() as connection:
        sequences = [append(connection, str(number)) for number in range(5)]
        assert [event.sequence for event in event_log.unpublished(connection, 3)] == sequences[:3]
        event_log.mark_published(connection, sequences[:3])
        event_log.mark_published(connection, sequences[:1])
        event_log.mark_published(connection, [])
        assert [event.sequence for event in event_log.unpublished(connection, 10)] == sequences[3:]


def test_more_events_than_a_statement_has_parameters_are_marked(database: Database) -> None:
    with database.begin() as connection:
        event_log.mark_published(connection, [append(connection, str(number)) for number in range(1_001)])
        assert event_log.unpublished(connection, 1) == []


def test_a_client_resumes_after_what_it_has(database: Database) -> None:
    with database.begin() as connection:
        sequences = [append(connection, str(number)) for number in range(4)]
        event_log.mark_published(connection, sequences[:2])
        resumed = event_log.since(connection, sequences[0], limit=2)
    assert [event.sequence for event in resumed] == sequences[1:3]


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        ((), ["order.SPX", "order.GOOG", "order", "ORDER.SPX", "orders.SPX", "fill.SPX"]),
        (("order.SPX",), ["order.SPX"]),
        (("order.>",), ["order.SPX", "order.GOOG"]),
        (("order.GOOG", "fill.>"), ["order.GOOG", "fill.SPX"]),
        (("ord_r.>", "%.>"), []),
    ],
)
def test_a_client_gets_the_subjects_it_asks_for(
    database: Database, subjects: tuple[str, ...], expected: list[str]
) -> None:
    with database.begin() as connection:
        for subject in ("order.SPX", "order.GOOG", "order", "ORDER.SPX", "orders.SPX", "fill.SPX"):
            append(connection, f"of {subject}", subject)
        found = [event.subject for event in event_log.since(connection, 0, subjects, limit=10)]
    assert found == expected


def test_pruning_keeps_the_newest_and_the_unpublished(database: Database) -> None:
    with database.begin() as connection:
        sequences = [append(connection, str(number)) for number in range(10)]
        event_log.mark_published(connection, [*sequences[:2], *sequences[3:]])
        assert event_log.prune(connection, 4) == 5
        kept = [event.sequence for event in event_log.since(connection, 0, limit=20)]
        assert kept == [sequences[2], *sequences[6:]]
        assert event_log.oldest_sequence(connection) == sequences[2]
        assert event_log.prune(connection, 100) == 0


def test_the_ends_of_the_log_are_known(database: Database) -> None:
    with database.begin() as connection:
        assert (event_log.oldest_sequence(connection), event_log.latest_sequence(connection)) == (0, 0)
        first, last = append(connection, "a"), append(connection, "b")
        assert (event_log.oldest_sequence(connection), event_log.latest_sequence(connection)) == (first, last)


def test_pruning_all_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="keep is 0"), database.begin() as connection:
        event_log.prune(connection, 0)
