"""The engine's state in the tables: what an event changed, and all of it back after a restart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection

from skewline.servers.risk.book import HeldPosition, Reservation
from skewline.servers.risk.engine import SNAPSHOTS_COUNTED, RiskEngine, RiskEngineState
from skewline.servers.risk.option import Option
from skewline.servers.runtime.decimals import from_decimal, to_decimal
from skewline.storage.risk import repository
from skewline.storage.risk.rows import StoredAccount, StoredOption, StoredPosition
from skewline.v1 import risk_pb2


def save_reservations(connection: Connection, engine: RiskEngine) -> None:
    """Store what is reserved, and what the native ids among it mean."""
    names = {leg.instrument_id for r in engine.book.reservations.values() for leg in r.legs}
    natives = engine.book.natives
    repository.save_options(connection, [_stored_option(natives[n]) for n in sorted(names & natives.keys())])
    repository.save_reservations(connection, [_intent(r) for r in engine.book.reservations.values()])


def save_batch(connection: Connection, engine: RiskEngine, traded: Iterable[str]) -> None:
    """Store what an order batch changed; `traded` are the instruments of its fills."""
    save_adjusted(connection, engine)
    # A late fill is held under what a split since made of its contract, which is open.
    closed = [name for name in traded if name in engine.book.positions]
    _save_positions(connection, engine, closed)
    save_account(connection, engine)
    repository.save_valuations(connection, engine.valued_with)
    save_reservations(connection, engine)


def save_adjusted(connection: Connection, engine: RiskEngine) -> None:
    """Store what corporate actions changed since the last call."""
    adjusted = engine.take_adjusted()
    if repository.save_actions(connection, list(engine.book.actions.values())) or adjusted:
        _save_positions(connection, engine, adjusted)
        repository.save_valuations(connection, engine.valued_with)


def _save_positions(connection: Connection, engine: RiskEngine, closed: Iterable[str]) -> None:
    """Store all that is held, and `closed`, which may be held no more."""
    held = {position.instrument_id: position for position in engine.book.open()}
    held.update((name, engine.book.positions[name]) for name in closed)
    repository.save_positions(
        connection,
        [
            StoredPosition(p.instrument_id, p.underlying, p.multiplier, p.quantity, p.last_price)
            for _, p in sorted(held.items())
        ],
    )


def save_account(connection: Connection, engine: RiskEngine) -> None:
    """Store cash and peak equity."""
    repository.save_account(connection, StoredAccount(engine.book.cash, engine.peak_equity))


def load(connection: Connection, recent_surfaces: int) -> RiskEngineState:
    """Everything that the engine needs to go on."""
    account = repository.account(connection)
    valued_with = repository.valuations(connection)
    state = RiskEngineState(
        limits=repository.limits(connection),
        state=repository.state(connection),
        positions=[
            HeldPosition(p.instrument_id, p.underlying, p.multiplier, p.quantity, p.last_price)
            for p in repository.positions(connection)
        ],
        reservations=[_reservation(intent) for intent in repository.reservations(connection)],
        natives=[_option(stored) for stored in repository.options(connection)],
        surfaces=repository.recent_surfaces(connection, recent_surfaces, list(valued_with.values())),
        valued_with=valued_with,
        approved=repository.approvals(connection, SNAPSHOTS_COUNTED),
        actions=repository.actions(connection),
    )
    if account is None:
        return state
    return replace(state, cash=account.cash, peak_equity=account.peak_equity)


def _intent(reservation: Reservation) -> risk_pb2.OrderIntent:
    return risk_pb2.OrderIntent(
        intent_id=reservation.order_id,
        underlying=reservation.underlying,
        legs=reservation.legs,
        multiplier=from_decimal(reservation.multiplier),
        quantity=from_decimal(reservation.quantity),
    )


def _reservation(intent: risk_pb2.OrderIntent) -> Reservation:
    return Reservation(
        intent.intent_id,
        intent.underlying,
        tuple(intent.legs),
        to_decimal(intent.multiplier),
        to_decimal(intent.quantity),
    )


def _stored_option(option: Option) -> StoredOption:
    return StoredOption(
        option.instrument_id,
        option.root,
        option.expiry_date,
        option.is_call,
        option.strike,
        option.expires_ns,
    )


def _option(stored: StoredOption) -> Option:
    return Option(
        stored.instrument_id,
        stored.root,
        stored.expiry_date,
        stored.is_call,
        stored.strike,
        stored.expires_ns,
    )
