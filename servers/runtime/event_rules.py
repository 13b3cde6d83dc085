"""What a message of the bus must be before a service's engine sees it."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from skewline.servers.runtime.dead_letter import Poison
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, common_pb2, event_pb2, order_book_pb2, surface_pb2

_PAYLOADS: Final = (
    ("market.action.", "corporate_action"),
    ("market.chain.", "chain"),
    ("market.feed.", "feed_notice"),
    ("book.", "order_book"),
    ("trade.", "trade_batch"),
    ("surface.", "surface"),
    ("signal.", "signal_set"),
    ("order.", "order_batch"),
    ("risk.portfolio.", "portfolio"),
    ("risk.state", "risk_state"),
    ("alert.", "alert"),
)
_OF_A_SNAPSHOT: Final = frozenset(("chain", "surface", "signal_set"))
_COLUMNS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    chain_pb2.OptionChain.DESCRIPTOR.full_name: (
        ("expiry_index", "strike", "is_call", "bid", "ask"),
        ("bid_size", "ask_size", "volume", "open_interest", "vendor_iv", "symbol"),
    ),
    surface_pb2.VolSlice.DESCRIPTOR.full_name: (
        ("strike", "is_call", "bid", "ask", "bid_iv", "ask_iv", "mid_iv", "model_iv"),
        ("heston_iv", "open_interest", "bid_size", "ask_size", "instrument_id"),
    ),
    order_book_pb2.TradeBatch.DESCRIPTOR.full_name: (
        ("time_ns", "price", "quantity", "is_buy", "trade_id"),
        (),
    ),
}
"""Parallel columns, always there and optional, by the message that has them."""


def event_of(delivery: Delivery) -> event_pb2.Event:
    """The event of a delivery, fit to be handled. Raises Poison that names the field and what it must be."""
    try:
        event = event_pb2.Event.FromString(delivery.data)
    except DecodeError as error:
        raise Poison(f"not a skewline.v1.Event: {error}") from error
    if not event.event_id:
        raise Poison("event_id is empty: the publisher must set it")
    kind = event.WhichOneof("payload")
    if kind is None:
        raise Poison("the event has no payload that this version knows")
    for subject, carried in _PAYLOADS:
        if delivery.subject.startswith(subject) and kind != carried:
            raise Poison(f"{subject}* carries {carried}, not {kind}: publish it under its own subject")
    validation = Validation()
    _check_payload(validation.within(kind), event, kind)
    try:
        validation.raise_if_any()
    except InvalidArgument as error:
        raise Poison(str(error)) from error
    return event


def _check_payload(validation: Validation, event: event_pb2.Event, kind: str) -> None:
    payload: Any = getattr(event, kind)
    if kind in _OF_A_SNAPSHOT:
        validation.required("underlying", payload.underlying)
        if validation.required("snapshot_id", payload.snapshot_id):
            validation.check(
                payload.snapshot_id == event.snapshot_id,
                "snapshot_id",
                f"must be the event's {event.snapshot_id!r}, not {payload.snapshot_id!r}",
            )
    _check_message(validation, payload)


def _check_message(validation: Validation, message: Message) -> None:
    columns = _COLUMNS.get(message.DESCRIPTOR.full_name)
    if columns is not None:
        always, optional = columns
        named: dict[str, Any] = {name: getattr(message, name) for name in always}
        named |= {name: column for name in optional if (column := getattr(message, name))}
        validation.equal_length(named)
    for field, value in message.ListFields():
        if field.enum_type is not None and not field.is_repeated:
            known = field.enum_type.values_by_number
            fix = f"must be one of {', '.join(each.name for each in known.values())}, not {value}"
            validation.check(value in known, field.name, fix)
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        if field.message_type is common_pb2.Decimal.DESCRIPTOR:
            validation.decimal(field.name, value)
        elif field.is_repeated:
            for index, each in enumerate(value):
                _check_message(validation.within(field.name, index), each)
        else:
            _check_message(validation.within(field.name), value)
