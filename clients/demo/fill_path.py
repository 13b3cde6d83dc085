"""Of the trace of a snapshot, what belongs to one fill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from skewline.v1 import order_pb2, order_service_pb2

_ORDER: Final = "skewline.order_id"
_FILL: Final = "skewline.fill_id"


def path_of_fill(
    spans: Iterable[order_service_pb2.Span], fill: order_pb2.Fill
) -> tuple[order_service_pb2.Span, ...]:
    """`spans` without those of other orders and other fills, which the same snapshot caused too."""
    return tuple(
        span
        for span in spans
        if span.attributes.get(_ORDER, fill.order_id) == fill.order_id
        and span.attributes.get(_FILL, fill.fill_id) == fill.fill_id
    )
