"""The envelope in which every event travels."""

from __future__ import annotations

from collections.abc import Sequence

from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.messages import copy_into
from skewline.v1 import (
    chain_pb2,
    corporate_action_pb2,
    event_pb2,
    feed_pb2,
    order_book_pb2,
    order_pb2,
    risk_pb2,
    signal_pb2,
    surface_pb2,
)

Payload = (
    chain_pb2.OptionChain
    | surface_pb2.VolSurface
    | signal_pb2.SignalSet
    | order_pb2.OrderBatch
    | risk_pb2.PortfolioSnapshot
    | risk_pb2.RiskState
    | event_pb2.Alert
    | feed_pb2.FeedNotice
    | corporate_action_pb2.CorporateAction
    | order_book_pb2.OrderBook
    | order_book_pb2.TradeBatch
)

_FIELDS: dict[str, str] = {
    field.message_type.name: field.name
    for field in event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}


def envelope(
    *,
    service: str,
    payload: Payload,
    cause: event_pb2.Event | None = None,
    key: Sequence[str | int] = (),
    time_ns: int = 0,
    snapshot_id: str = "",
    underlying: str = "",
    received_ns: int,
    published_ns: int,
) -> event_pb2.Event:
    """Wrap `payload` under an id derived from `cause`, whose consequence it is, or from `key` at a source.

    Time, snapshot and underlying are the cause's unless given. `received_ns` and `published_ns` are wall-
    clock times, which measure this hop and decide nothing. Raises ValueError without a cause and a key.
    """
    field = _FIELDS[type(payload).DESCRIPTOR.name]
    if cause is None and not key:
        raise ValueError("an event needs a cause or a key, from which its id is derived")
    origin = [cause.event_id] if cause is not None else []
    event = event_pb2.Event(
        event_id=derive_id("event", service, field, *origin, *key),
        cause_id=cause.event_id if cause is not None else "",
        time_ns=time_ns or (cause.time_ns if cause is not None else 0),
        snapshot_id=snapshot_id or (cause.snapshot_id if cause is not None else ""),
        underlying=underlying or (cause.underlying if cause is not None else ""),
        stamps=cause.stamps if cause is not None else (),
    )
    event.stamps.add(service=service, received_ns=received_ns, published_ns=published_ns)
    copy_into(getattr(event, field), payload)
    return event
