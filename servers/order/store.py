"""The engine's state in the tables: what a batch changed, and all of it back after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from skewline.servers.order.floor import OrderState
from skewline.servers.order.history import Changes
from skewline.servers.order.ledger import Holding
from skewline.servers.order.quotes import Contract, quoted_columns
from skewline.servers.order.record import OrderRecord
from skewline.storage.order import repository
from skewline.storage.order.rows import StoredOrder, StoredPosition
from skewline.v1 import common_pb2


@dataclass(frozen=True, slots=True)
class Restored:
    """The engine's state, and the spans that submitted the orders still working, by order."""

    state: OrderState
    traceparents: Mapping[str, str]


def save(connection: Connection, changes: Changes, traceparents: Mapping[str, str]) -> None:
    """Store all that a batch changed."""
    repository.save_orders(
        connection,
        [
            StoredOrder(
                order=record.order,
                number=record.number,
                sequence=record.sequence,
                notional=record.notional,
                expiry_ns=record.expiry_ns,
                traceparent=traceparents.get(record.order.order_id, ""),
            )
            for record in changes.records
        ],
    )
    repository.add_events(connection, changes.events)
    repository.add_fills(connection, changes.fills)
    repository.add_adjustments(connection, changes.adjustments)
    repository.save_positions(connection, [stored_position(holding) for holding in changes.holdings])
    repository.add_pnl(connection, changes.pnl)
    if changes.book is not None:
        repository.save_book(connection, quoted_columns(changes.book.chain))


def load(connection: Connection) -> Restored:
    """Everything that the engine needs to go on."""
    orders = repository.live_orders(connection)
    chains = repository.books(connection)
    state = OrderState(
        records=[OrderRecord(o.order, o.number, o.sequence, o.notional, o.expiry_ns) for o in orders],
        order_ids=repository.order_ids(connection),
        order_count=repository.order_count(connection),
        holdings=[holding_of(stored) for stored in repository.positions(connection)],
        chains=chains,
        last_fills=repository.fills_against(connection, [chain.snapshot_id for chain in chains]),
    )
    return Restored(state, {o.order.order_id: o.traceparent for o in orders})


def stored_position(holding: Holding) -> StoredPosition:
    """A holding as a row."""
    contract = holding.contract
    return StoredPosition(
        instrument_id=contract.instrument_id,
        underlying=contract.underlying,
        is_call=contract.is_call,
        strike=contract.strike,
        expiry_ns=contract.expiry_ns,
        multiplier=contract.multiplier,
        currency=contract.currency,
        provenance=holding.provenance,
        quantity=holding.quantity,
        cost=holding.cost,
        realised=holding.realised,
        fees=holding.fees,
        mark=holding.mark,
        mark_ns=holding.mark_ns,
        mark_provenance=holding.mark_provenance,
        number=holding.number,
    )


def holding_of(stored: StoredPosition) -> Holding:
    """A row as a holding."""
    contract = Contract(
        instrument_id=stored.instrument_id,
        underlying=stored.underlying,
        is_call=stored.is_call,
        strike=stored.strike,
        expiry_ns=stored.expiry_ns,
        multiplier=stored.multiplier,
        currency=stored.currency,
    )
    return Holding(
        contract=contract,
        provenance=common_pb2.Provenance.ValueType(stored.provenance),
        number=stored.number,
        quantity=stored.quantity,
        cost=stored.cost,
        realised=stored.realised,
        fees=stored.fees,
        mark=stored.mark,
        mark_ns=stored.mark_ns,
        mark_provenance=common_pb2.Provenance.ValueType(stored.mark_provenance),
    )
