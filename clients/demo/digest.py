"""One number for all that a run decided, so that two runs can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from google.protobuf.message import Message

from skewline.clients.demo.record import RunRecord
from skewline.v1 import order_pb2, signal_pb2

_TRACED: Final = "trace_id"


def decision_digest(
    signals: Iterable[signal_pb2.Signal],
    orders: Iterable[order_pb2.Order],
    events: Iterable[order_pb2.OrderEvent],
    fills: Iterable[order_pb2.Fill],
) -> str:
    """SHA-256 (hex) over every signal, final order, order event and fill: ids, times and numbers.

    Each kind is taken in the order of data time, then id, so how the messages were fetched does not
    matter. Trace ids are left out: they are random, and decide nothing.
    """
    by_time_signals = sorted(signals, key=lambda s: (s.time_ns, s.underlying, s.signal_id))
    by_time_orders = sorted(orders, key=lambda o: (o.created_ns, o.underlying, o.order_id))
    by_time_events = sorted(events, key=lambda e: (e.time_ns, e.order_id, e.sequence))
    by_time_fills = sorted(fills, key=lambda f: (f.time_ns, f.order_id, f.fill_id))
    parts: tuple[tuple[str, Sequence[Message]], ...] = (
        ("signals", by_time_signals),
        ("orders", by_time_orders),
        ("events", by_time_events),
        ("fills", by_time_fills),
    )
    digest = hashlib.sha256()
    for kind, messages in parts:
        digest.update(f"{kind} {len(messages)}\n".encode())
        for message in messages:
            content = _canonical(message)
            digest.update(f"{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def record_digest(record: RunRecord) -> str:
    """The decision digest of a run."""
    return decision_digest(record.signals, record.orders, record.order_events, record.fills)


def _canonical(message: Message) -> bytes:
    if _TRACED in message.DESCRIPTOR.fields_by_name:
        untraced = type(message)()
        untraced.CopyFrom(message)
        untraced.ClearField(_TRACED)
        message = untraced
    return message.SerializeToString(deterministic=True)
