"""The spans of orders: each submission, and each fill below the submission that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opentelemetry import trace

from skewline.servers.order.state_machine import FINAL
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.telemetry import context_from, traceparent
from skewline.v1 import order_pb2

_SUBMITTED: Final = order_pb2.ORDER_EVENT_TYPE_APPROVED


class OrderSpans:
    """Remembers which span submitted an order that still works, so that a later fill joins its trace."""

    def __init__(self, tracer: trace.Tracer, venue: str) -> None:
        self._tracer = tracer
        self._venue = venue
        self._submitted: dict[str, str] = {}

    @property
    def traceparents(self) -> Mapping[str, str]:
        """By order, the span that submitted it."""
        return self._submitted

    def restore(self, traceparents: Mapping[str, str]) -> None:
        """Go on with the orders that still work."""
        self._submitted = dict(traceparents)

    def record(self, batch: order_pb2.OrderBatch) -> dict[str, str]:
        """Make the spans of a batch, below the current one; returns each order's submitting span."""
        now = trace.get_current_span().get_span_context()
        for event in batch.events:
            if event.type == _SUBMITTED:
                attributes = {"skewline.order_id": event.order_id, "skewline.venue": self._venue}
                with self._tracer.start_as_current_span(
                    "broker.submit", kind=trace.SpanKind.CLIENT, attributes=attributes
                ):
                    self._submitted[event.order_id] = traceparent()
        for fill in batch.fills:
            parent = self._submitted.get(fill.order_id)
            # A fill of an older order joins that order's trace, and points to the snapshot that filled it.
            links = [trace.Link(now)] if now.is_valid else []
            span = self._tracer.start_span(
                "order.fill",
                context=context_from(parent) if parent else None,
                attributes={
                    "skewline.order_id": fill.order_id,
                    "skewline.fill_id": fill.fill_id,
                    "skewline.instrument_id": fill.instrument_id,
                    "skewline.quantity": str(to_decimal(fill.quantity)),
                    "skewline.price": str(to_decimal(fill.price)),
                    "skewline.snapshot_id": fill.snapshot_id,
                },
                links=links,
            )
            span.end()
        ours = {order.order_id: self._submitted.get(order.order_id, "") for order in batch.orders}
        for order in batch.orders:
            if order.status in FINAL:
                self._submitted.pop(order.order_id, None)
        return ours
