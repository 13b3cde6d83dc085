"""Chains, instruments and replays in and out of both databases."""

import math
from collections.abc import Iterator
from decimal import Decimal

import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from skewline.storage.database import Database
from skewline.storage.marketdata import chains, feeds, instruments, replays
from skewline.storage.marketdata.chains import ChainQuery
from skewline.storage.marketdata.feeds import FeedRow
from skewline.storage.marketdata.instruments import InstrumentQuery, InstrumentRow
from skewline.storage.marketdata.replays import ReplayRow
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

ACCEPTED, REJECTED = chain_pb2.CHAIN_STATUS_ACCEPTED, chain_pb2.CHAIN_STATUS_REJECTED


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database.open(database_url, "marketdata") as opened:
        yield opened


def stored(
    database: Database,
    name: str,
    minute: int,
    *,
    status: int = ACCEPTED,
    spot: float = 100.0,
    of: str = "XYZ",
) -> chain_pb2.OptionChain:
    chain = small_chain(underlying=of, time_ns=FRIDAY_NS + minute * MINUTE_NS, spot=100.0)
    chain.snapshot_id, chain.spot = name, spot
    summary = chain_pb2.ChainSummary(
        snapshot_id=name,
        underlying=of,
        time_ns=chain.time_ns,
        status=chain_pb2.ChainStatus.ValueType(status),
        spot=spot,
        provenance=chain.provenance,
    )
    with database.begin() as connection:
        chains.add(connection, summary, chain)
    return chain


def row(instrument_id: str, **more: object) -> InstrumentRow:
    fields: dict[str, object] = {
        "instrument_id": instrument_id,
        "kind": 1,
        "underlying": "XYZ",
        "root": "XYZ",
        "right": 1,
        "strike": Decimal("100.5"),
        "expiry_date": "2019-06-21",
        "expiry_ns": 5,
        "settlement": 2,
        "exercise": 2,
        "multiplier": Decimal(100),
        "currency": "USD",
        "tick_below": Decimal("0.05"),
        "tick_threshold": Decimal(3),
        "tick_above": Decimal("0.1"),
        "first_seen_ns": FRIDAY_NS,
    }
    return InstrumentRow(**{**fields, **more})  # type: ignore[arg-type]


def test_a_chain_comes_back_bit_for_bit(database: Database) -> None:
    chain = stored(database, "a", 0, spot=math.nan)
    with database.read() as connection:
        found = chains.chain(connection, "a")
        assert found is not None
        assert found[0].SerializeToString(deterministic=True) == chain.SerializeToString(deterministic=True)
        assert chains.chain(connection, "b") is None


def test_the_newest_is_the_newest_accepted(database: Database) -> None:
    stored(database, "a", 0)
    stored(database, "b", 5)
    stored(database, "c", 9, status=REJECTED)
    stored(database, "d", 1, of="ABC")
    with database.read() as connection:
        assert chains.newest_id(connection, "XYZ") == "b"
        assert chains.newest_id(connection, "XYZ", FRIDAY_NS + 4 * MINUTE_NS) == "a"
        assert chains.newest_id(connection, "XYZ", FRIDAY_NS - 1) == ""
        assert [chain.snapshot_id for chain in chains.newest_accepted(connection)] == ["d", "b"]


def test_a_snapshot_is_stored_once(database: Database) -> None:
    stored(database, "a", 0)
    with pytest.raises(IntegrityError):
        stored(database, "a", 0)


def test_summaries_are_filtered_and_go_on_behind_a_key(database: Database) -> None:
    for minute in range(4):
        stored(database, f"s{minute}", minute, status=REJECTED if minute == 2 else ACCEPTED)
    with database.read() as connection:

        def ids(query: ChainQuery, after: tuple[int, str] | None = None) -> list[str]:
            return [summary.snapshot_id for summary in chains.summaries(connection, query, after, 10)]

        assert ids(ChainQuery()) == ["s3", "s2", "s1", "s0"]
        assert ids(ChainQuery(), (FRIDAY_NS + 2 * MINUTE_NS, "s2")) == ["s1", "s0"]
        assert ids(ChainQuery(status=ACCEPTED)) == ["s3", "s1", "s0"]
        between = ChainQuery(from_ns=FRIDAY_NS + MINUTE_NS, to_ns=FRIDAY_NS + 3 * MINUTE_NS)
        assert ids(between) == ["s2", "s1"]
        assert ids(ChainQuery(underlying="ABC")) == []


def test_spots_leave_out_the_unknown_and_the_rejected(database: Database) -> None:
    stored(database, "a", 0, spot=100.0)
    stored(database, "b", 1, spot=math.nan)
    stored(database, "c", 2, status=REJECTED)
    stored(database, "d", 3, spot=101.0)
    with database.read() as connection:
        provenance = small_chain().provenance
        first = (FRIDAY_NS, 100.0, provenance)
        last = (FRIDAY_NS + 3 * MINUTE_NS, 101.0, provenance)
        assert chains.spots(connection, "XYZ", 0, 0, 10) == [first, last]
        assert chains.newest_spots(connection, "XYZ", 0, 0, 1) == [last]
        assert chains.newest_spots(connection, "XYZ", 0, 0, 9) == [first, last]
        assert chains.newest_spots(connection, "XYZ", 0, last[0], 9) == [first]
        assert chains.newest_spots(connection, "XYZ", last[0], 0, 9) == [last]


def test_an_instrument_is_seen_until_it_goes(database: Database) -> None:
    stored(database, "a", 0)
    stored(database, "b", 7)
    with database.begin() as connection:
        instruments.add(connection, [row("one"), row("two", strike=None, tick_above=None)])
        instruments.mark(connection, ["two"], FRIDAY_NS)
    with database.read() as connection:
        one, two = (instruments.instrument(connection, name) for name in ("one", "two"))
        assert one == row("one", last_seen_ns=FRIDAY_NS + 7 * MINUTE_NS)
        assert two == row("two", strike=None, tick_above=None, last_seen_ns=FRIDAY_NS)
        assert instruments.present(connection) == {"XYZ": ["one"]}
        assert instruments.known(connection, ["one", "two", "three"]) == {"one", "two"}
        assert instruments.instrument(connection, "three") is None
    with database.begin() as connection:
        instruments.mark(connection, ["two"], None)
        assert instruments.present(connection) == {"XYZ": ["one", "two"]}


def test_instruments_are_filtered_and_ordered(database: Database) -> None:
    with database.begin() as connection:
        instruments.add(
            connection,
            [row("c", right=2), row("a"), row("b", expiry_date="2019-07-19"), row("d", underlying="ABC")],
        )
    with database.read() as connection:

        def ids(query: InstrumentQuery, after: str = "") -> list[str]:
            return [found.instrument_id for found in instruments.instruments(connection, query, after, 3)]

        assert ids(InstrumentQuery()) == ["a", "b", "c"]
        assert ids(InstrumentQuery(), "c") == ["d"]
        assert ids(InstrumentQuery("XYZ", "2019-06-21", 2)) == ["c"]


def test_a_replay_is_found_as_far_as_it_was(database: Database) -> None:
    request = pb.StartReplayRequest(request_id="r", source="sample")
    new = ReplayRow(request, pb.Replay(replay_id="id", status=pb.REPLAY_STATUS_RUNNING, total=2), FRIDAY_NS)
    with database.begin() as connection:
        replays.add(connection, new)
    with database.read() as connection:
        assert replays.unfinished(connection) == [new]
        assert replays.replay(connection, "other") is None
    done = pb.Replay(replay_id="id", status=pb.REPLAY_STATUS_COMPLETED, fed=2)
    with database.begin() as connection:
        replays.save(connection, ReplayRow(request, done, FRIDAY_NS, 2, "snapshot"))
        replays.add_samples(connection, "id", "s1", {"total": 5, "risk": 2})
        replays.add_samples(connection, "id", "s2", {"total": 3})
    with database.read() as connection:
        assert replays.unfinished(connection) == []
        assert replays.replay(connection, "id") == ReplayRow(request, done, FRIDAY_NS, 2, "snapshot")
        assert replays.samples(connection, "id") == {"risk": [2], "total": [3, 5]}
    with pytest.raises(IntegrityError), database.begin() as connection:
        replays.add(connection, new)


def test_feeds_that_were_not_stopped_go_on(database: Database) -> None:
    rows = [FeedRow(f"r{number}", f"cboe:{name}", number, stopped=False) for number, name in enumerate("BAB")]
    with database.begin() as connection:
        for each in rows[:2]:
            feeds.add(connection, each)
        feeds.mark_stopped(connection, "cboe:B")
        feeds.add(connection, rows[2])
        assert feeds.started(connection) == rows[1:]
        assert feeds.feed(connection, "r0") == FeedRow("r0", "cboe:B", 0, stopped=True)
        assert feeds.feed(connection, "r9") is None
    with pytest.raises(IntegrityError), database.begin() as connection:
        feeds.add(connection, rows[0])


def test_a_chain_is_stored_compressed(database: Database) -> None:
    chain = stored(database, "a", 0)
    with database.read() as connection:
        length = connection.execute(text("SELECT length(chain) FROM chains")).scalar_one()
        assert length < len(chain.SerializeToString())


def test_as_of_an_instant_is_up_to_it_and_a_range_begins_at_its_first(database: Database) -> None:
    stored(database, "b", 1)
    stored(database, "a", 1, of="ABC")
    stored(database, "c", 2)
    one, two = FRIDAY_NS + MINUTE_NS, FRIDAY_NS + 2 * MINUTE_NS
    with database.read() as connection:
        for as_of_ns, name in ((one - 1, ""), (one, "b"), (two - 1, "b"), (two, "c"), (2**63 - 1, "c")):
            assert chains.newest_id(connection, "XYZ", as_of_ns) == name
        for from_ns, to_ns, names in (
            (one, two, ["a", "b"]),
            (one, two + 1, ["c", "a", "b"]),
            (one + 1, two, []),
            (two, 0, ["c"]),
            (0, one, []),
            (2**63 - 1, 0, []),
        ):
            query = ChainQuery(from_ns=from_ns, to_ns=to_ns)
            found = chains.summaries(connection, query, None, 9)
            assert [summary.snapshot_id for summary in found] == names
        # Of equal times the names go on behind one another, none twice and none left out.
        after: tuple[int, str] | None = None
        seen: list[str] = []
        while page := chains.summaries(connection, ChainQuery(), after, 1):
            seen += [summary.snapshot_id for summary in page]
            after = (page[-1].time_ns, page[-1].snapshot_id)
        assert seen == ["c", "a", "b"]
