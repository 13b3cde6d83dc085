from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError
from trading_examples import NOW, call, check_request, intent, put, surface

from skewline.storage.database import Database
from skewline.storage.risk import listing, repository
from skewline.storage.risk.listing import DecisionQuery, PortfolioQuery
from skewline.storage.risk.rows import StoredAccount, StoredAnswer, StoredOption, StoredPosition
from skewline.v1 import risk_pb2


@pytest.fixture
def database(database_url: str) -> Database:
    return Database.open(database_url, "risk")


def test_surfaces_come_back_in_order_and_old_ones_are_forgotten(database: Database) -> None:
    made = [surface(f"snapshot-{n}", time_ns=NOW + n) for n in range(5)]
    other = surface("other", underlying="RUT")
    with database, database.begin() as connection:
        for one in [*made, other]:
            repository.add_surface(connection, one)
        assert repository.surface(connection, "snapshot-3") == made[3]
        assert repository.recent_surfaces(connection, 2, ["snapshot-0"]) == [made[0], made[3], made[4], other]
        repository.forget_surfaces(connection, "SPX", NOW + 3)
        assert not repository.has_surface(connection, "snapshot-2")
        assert repository.has_surface(connection, "snapshot-3")
        assert repository.has_surface(connection, "other")


def test_positions_account_reservations_and_valuations_are_replaced(database: Database) -> None:
    held = StoredPosition(call(2900), "SPX", Decimal(100), Decimal(-3), 0.1 + 0.2)
    with database, database.begin() as connection:
        assert repository.account(connection) is None
        repository.save_positions(
            connection, [held, StoredPosition(put(1), "SPX", Decimal(100), Decimal(1), 1.0)]
        )
        repository.save_positions(connection, [held])
        assert repository.positions(connection)[0] == held
        native = StoredOption("BTC-17MAY19-2900-C", "BTC", "2019-05-17", True, 2900.0, NOW)
        for _ in range(2):
            repository.save_options(connection, [native])
        assert repository.options(connection) == [native]
        for cash in ("1.05", "-123456789.123456789"):
            repository.save_account(connection, StoredAccount(Decimal(cash), 1e6 / 3))
        assert repository.account(connection) == StoredAccount(Decimal("-123456789.123456789"), 1e6 / 3)
        repository.save_reservations(connection, [intent(), intent(intent_id="intent-2")])
        repository.save_reservations(connection, [intent(intent_id="z"), intent(intent_id="a")])
        assert [one.intent_id for one in repository.reservations(connection)] == ["z", "a"]
        repository.save_valuations(connection, {"SPX": "snapshot-1"})
        repository.save_valuations(connection, {"SPX": "snapshot-2", "RUT": "x"})
        assert repository.valuations(connection) == {"RUT": "x", "SPX": "snapshot-2"}


def test_decisions_are_counted_by_snapshot_and_listed_newest_first(database: Database) -> None:
    with database, database.begin() as connection:
        for number, approved in enumerate([True, False, True, True]):
            asked = intent(intent_id=f"intent-{number}", signal_id=f"signal-{number}")
            request = check_request(
                asked, request_id=f"check-{number}", snapshot_id=f"snapshot-{number // 3}"
            )
            decision = risk_pb2.RiskDecision(intent_id=asked.intent_id, approved=approved)
            repository.add_decisions(connection, request, [decision])
        assert list(repository.approvals(connection, 9).items()) == [("snapshot-0", 2), ("snapshot-1", 1)]
        assert repository.approvals(connection, 1) == {"snapshot-1": 1}

        def ids(query: DecisionQuery, before: int | None = None) -> list[str]:
            return [made.intent_id for _, made in listing.decisions(connection, query, before, 9)]

        assert ids(DecisionQuery()) == ["intent-3", "intent-2", "intent-1", "intent-0"]
        assert ids(DecisionQuery(refused_only=True)) == ["intent-1"]
        assert ids(DecisionQuery(signal_id="signal-2")) == ["intent-2"]


def test_an_answer_is_kept_once(database: Database) -> None:
    answer = StoredAnswer("check:abc", b"\x00decisions" * 100)
    with database:
        with database.begin() as connection:
            repository.add_answer(connection, "check-1", answer)
            assert repository.answer(connection, "check-1") == answer
            assert repository.answer(connection, "check-2") is None
        with pytest.raises(IntegrityError), database.begin() as connection:
            repository.add_answer(connection, "check-1", answer)


def test_the_newest_limits_and_state_hold(database: Database) -> None:
    with database, database.begin() as connection:
        assert repository.limits(connection) is None
        assert repository.state(connection) is None
        for vega in (1.0, 2.0):
            repository.add_limits(connection, risk_pb2.RiskLimits(max_vega=vega), "operator", NOW)
        for state in (risk_pb2.TRADING_STATE_HALTED, risk_pb2.TRADING_STATE_ACTIVE):
            repository.add_state(connection, risk_pb2.RiskState(state=state, changed_by="operator"))
        assert repository.limits(connection) == risk_pb2.RiskLimits(max_vega=2.0)
        assert repository.state(connection) == risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_ACTIVE, changed_by="operator"
        )


def test_portfolios_are_listed_by_time(database: Database) -> None:
    made = [
        risk_pb2.PortfolioSnapshot(snapshot_id=f"s{n}", time_ns=NOW + n, equity=1e6 + n) for n in range(4)
    ]
    with database, database.begin() as connection:
        assert listing.newest_portfolio(connection) is None
        for one in made:
            repository.add_portfolio(connection, one)
        assert listing.newest_portfolio(connection) == made[3]
        found = listing.portfolios(connection, PortfolioQuery(NOW + 1, NOW + 3), None, 9)
        assert [one for _, one in found] == [made[2], made[1]]
