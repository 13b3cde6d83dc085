"""Tables of the order service: money, prices and quantities are exact; messages stand beside their keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from skewline.storage.columns import CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import Sequence64, new_metadata
from skewline.v1 import chain_pb2, corporate_action_pb2, order_pb2, order_service_pb2, risk_service_pb2

metadata = new_metadata()

ORDERS = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("number", Sequence64, nullable=False, unique=True),
    Column("signal_id", Text, nullable=False, index=True),
    Column("underlying", Text, nullable=False),
    Column("status", Integer, nullable=False, index=True),
    Column("quantity", ExactDecimal, nullable=False),
    Column("filled_quantity", ExactDecimal, nullable=False),
    Column("limit_price", ExactDecimal, nullable=False),
    Column("notional", ExactDecimal, nullable=False),
    Column("created_ns", NanoTime, nullable=False),
    Column("updated_ns", NanoTime, nullable=False),
    Column("expiry_ns", NanoTime, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("message", CompressedProto(order_pb2.Order), nullable=False),
)

ORDER_EVENTS = Table(
    "order_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("type", Integer, nullable=False),
    Column("from_status", Integer, nullable=False),
    Column("to_status", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_order_events_order_id_sequence", "order_id", "sequence"),
)

FILLS = Table(
    "fills",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("fill_id", Text, nullable=False, unique=True),
    Column("order_id", Text, nullable=False, index=True),
    Column("snapshot_id", Text, nullable=False, index=True),
    Column("underlying", Text, nullable=False),
    Column("instrument_id", Text, nullable=False),
    Column("side", Integer, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("fee", ExactDecimal, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(order_pb2.Fill), nullable=False),
    sqlite_autoincrement=True,
)

ADJUSTMENTS = Table(
    "adjustments",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("adjustment_id", Text, nullable=False, unique=True),
    Column("underlying", Text, nullable=False, index=True),
    Column("time_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(corporate_action_pb2.ContractAdjustment), nullable=False),
    sqlite_autoincrement=True,
)
"""What corporate actions changed of positions: the ledger's entries that are no fills."""

POSITIONS = Table(
    "positions",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("underlying", Text, nullable=False, index=True),
    Column("is_call", Boolean, nullable=False),
    Column("strike", ExactDecimal, nullable=False),
    Column("expiry_ns", NanoTime, nullable=False),
    Column("multiplier", ExactDecimal, nullable=False),
    Column("currency", Text, nullable=False),
    Column("provenance", Integer, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("cost", ExactDecimal, nullable=False),
    Column("realised", ExactDecimal, nullable=False),
    Column("fees", ExactDecimal, nullable=False),
    Column("mark", ExactDecimal, nullable=False),
    Column("mark_ns", NanoTime, nullable=False),
    Column("mark_provenance", Integer, nullable=False),
    Column("number", Integer, nullable=False),
)

PNL = Table(
    "pnl",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("time_ns", NanoTime, nullable=False, index=True),
    Column("currency", Text, nullable=False),
    Column("realised", ExactDecimal, nullable=False),
    Column("unrealised", ExactDecimal, nullable=False),
    Column("fees", ExactDecimal, nullable=False),
    Column("net", ExactDecimal, nullable=False),
    Column("provenance", Integer, nullable=False),
    sqlite_autoincrement=True,
)

BOOKS = Table(
    "books",
    metadata,
    Column("underlying", Text, primary_key=True),
    Column("snapshot_id", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("chain", CompressedProto(chain_pb2.OptionChain), nullable=False),
)

REQUESTS = Table(
    "requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("order_id", Text, nullable=False),
)

QUESTIONS = Table(
    "questions",
    metadata,
    Column("check_id", Text, primary_key=True),
    Column("question", CompressedProto(risk_service_pb2.CheckIntentsRequest), nullable=False),
    Column("command", CompressedProto(order_service_pb2.StreamOrdersRequest), nullable=False),
)
"""What risk was asked for commands that are not carried out yet."""
