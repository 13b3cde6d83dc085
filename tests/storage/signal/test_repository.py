from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from skewline.storage.database import Database
from skewline.storage.signal import repository
from skewline.storage.signal.repository import SignalQuery, StoredSignal
from skewline.v1 import signal_pb2


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database.open(database_url, "signal") as opened:
        yield opened


def signal(
    name: str, *, time_ns: int = 10, underlying: str = "SPX", confidence: float = 0.7
) -> signal_pb2.Signal:
    return signal_pb2.Signal(
        signal_id=name,
        underlying=underlying,
        time_ns=time_ns,
        confidence=confidence,
        strategy=signal_pb2.STRATEGY_TERM_STRUCTURE,
        edge=0.1 + 0.2,
    )


def stored(name: str, *, until_ns: int = 100, components: tuple[str, ...] = ()) -> StoredSignal:
    return StoredSignal(signal(name), f"theme-{name}", until_ns, tuple(signal(each) for each in components))


def test_an_aggregate_is_listed_and_its_components_are_found_with_it(database: Database) -> None:
    with database.begin() as connection:
        repository.add(connection, [stored("a"), stored("both", components=("x", "y"))])
        repository.add(connection, [stored("b")])
    with database.read() as connection:
        listed = repository.signals(connection, SignalQuery(), 0, 9)
        assert [each.signal_id for _, each in listed] == ["b", "both", "a"]
        assert [each.signal_id for each in repository.components(connection, "both")] == ["x", "y"]
        assert repository.components(connection, "a") == []
        found = repository.signal(connection, "x")
        assert found == signal("x")
        assert repository.signal(connection, "none") is None
        rest = repository.signals(connection, SignalQuery(), listed[1][0], 9)
        assert [each.signal_id for _, each in rest] == ["a"]


def test_lists_are_narrowed_by_what_is_asked(database: Database) -> None:
    with database.begin() as connection:
        rows = [signal("a"), signal("b", time_ns=20, confidence=0.9), signal("c", underlying="NDX")]
        repository.add(connection, [StoredSignal(each, "t", 100) for each in rows])
    queries = {
        SignalQuery("NDX"): ["c"],
        SignalQuery(min_confidence=0.8): ["b"],
        SignalQuery(from_ns=11): ["b"],
        SignalQuery(to_ns=11): ["c", "a"],
        SignalQuery(strategy=signal_pb2.STRATEGY_TERM_STRUCTURE): ["c", "b", "a"],
        SignalQuery(strategy=signal_pb2.STRATEGY_AGGREGATE): [],
    }
    with database.read() as connection:
        for query, names in queries.items():
            found = repository.signals(connection, query, 0, 9)
            assert [each.signal_id for _, each in found] == names, query


def test_a_signal_is_stored_once_or_not_at_all(database: Database) -> None:
    with database.begin() as connection:
        repository.add(connection, [stored("a")])
    with pytest.raises(IntegrityError), database.begin() as connection:
        repository.add(connection, [stored("new"), stored("a")])
    with database.read() as connection:
        assert repository.signal(connection, "new") is None


def test_the_engine_gets_back_the_newest_spots_and_the_ideas_still_open(database: Database) -> None:
    with database.begin() as connection:
        for number in range(1, 5):
            repository.add_spot(connection, f"surface-{number}", "SPX", number * 10, 100.0 + number)
        repository.add_spot(connection, "surface-9", "NDX", 5, 7.0)
        repository.add(
            connection, [stored("over", until_ns=40), stored("open", until_ns=41, components=("x",))]
        )
    with database.read() as connection:
        assert repository.newest_spots(connection, 2) == [
            ("SPX", 30, 103.0),
            ("SPX", 40, 104.0),
            ("NDX", 5, 7.0),
        ]
        assert [each.theme for each in repository.open_signals(connection)] == ["theme-open"]
