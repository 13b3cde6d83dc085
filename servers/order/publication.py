"""An order batch on its way out: stored with what it changed, and in the envelope that it is published in."""

from __future__ import annotations

import time
from typing import Final

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.order import store
from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.order_spans import OrderSpans
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.processor import Delivered, Outgoing
from skewline.v1 import order_pb2

_SERVICE: Final = "order"


class Publication:
    """Runs inside the write transaction in which the engine made the batch."""

    def __init__(self, engine: OrderEngine, tracer: trace.Tracer) -> None:
        self._engine = engine
        self._spans = OrderSpans(tracer, engine.venue)

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the tables."""
        restored = store.load(connection)
        self._engine.restore(restored.state)
        self._spans.restore(restored.traceparents)

    def of_event(self, connection: Connection, batch: order_pb2.OrderBatch, delivered: Delivered) -> Outgoing:
        """Store a batch that an event caused."""
        self._save(connection, batch)
        event = envelope(
            service=_SERVICE,
            payload=batch,
            cause=delivered.event,
            received_ns=delivered.received_ns,
            published_ns=time.time_ns(),
        )
        return Outgoing(_subject(batch), event)

    def of_command(
        self,
        connection: Connection,
        batch: order_pb2.OrderBatch,
        kind: str,
        request_id: str,
        received_ns: int,
    ) -> Outgoing:
        """Store a batch that a request of this `kind` and id caused."""
        self._save(connection, batch)
        event = envelope(
            service=_SERVICE,
            payload=batch,
            key=(kind, request_id),
            time_ns=batch.time_ns,
            underlying=batch.underlying,
            received_ns=received_ns,
            published_ns=time.time_ns(),
        )
        return Outgoing(_subject(batch), event)

    def _save(self, connection: Connection, batch: order_pb2.OrderBatch) -> None:
        store.save(connection, self._engine.changes, self._spans.record(batch))


def _subject(batch: order_pb2.OrderBatch) -> str:
    return f"order.{batch.underlying or 'ALL'}"
