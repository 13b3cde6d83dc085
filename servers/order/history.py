"""What happened to orders since the last batch: collected step by step, sent and stored as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skewline.servers.order.ledger import Holding
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.v1 import corporate_action_pb2, order_pb2


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch changed in the engine, to be stored in the transaction that publishes it."""

    records: Sequence[OrderRecord]
    events: Sequence[order_pb2.OrderEvent]
    fills: Sequence[order_pb2.Fill]
    adjustments: Sequence[corporate_action_pb2.ContractAdjustment]
    holdings: Sequence[Holding]
    pnl: Sequence[order_pb2.Pnl]
    book: Book | None
    """The newest snapshot, when the batch moved to one."""


@dataclass(slots=True)
class History:
    """Steps and executions in order, and the orders that they changed in the order of their first change."""

    records: dict[str, OrderRecord] = field(default_factory=dict)
    events: list[order_pb2.OrderEvent] = field(default_factory=list)
    fills: list[order_pb2.Fill] = field(default_factory=list)
    adjustments: list[corporate_action_pb2.ContractAdjustment] = field(default_factory=list)
    book: Book | None = None

    def add(self, record: OrderRecord, event: order_pb2.OrderEvent) -> None:
        """Note a step of an order."""
        self.records[record.order.order_id] = record
        self.events.append(event)
