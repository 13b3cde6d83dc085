"""Tables of the risk service: quantities and cash are exact, model numbers doubles."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text

from skewline.storage.columns import Blob, CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import Sequence64, new_metadata
from skewline.v1 import corporate_action_pb2, risk_pb2, surface_pb2

metadata = new_metadata()

SURFACES = Table(
    "surfaces",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("snapshot_id", Text, nullable=False, unique=True),
    Column("underlying", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("surface", CompressedProto(surface_pb2.VolSurface), nullable=False),
    Index("ix_surfaces_underlying", "underlying", "time_ns"),
    sqlite_autoincrement=True,
)

POSITIONS = Table(
    "positions",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("underlying", Text, nullable=False),
    Column("multiplier", ExactDecimal, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("last_price", Double, nullable=False),
)

OPTIONS = Table(
    "options",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("root", Text, nullable=False),
    Column("expiry_date", Text, nullable=False),
    Column("is_call", Boolean, nullable=False),
    Column("strike", Double, nullable=False),
    Column("expires_ns", NanoTime, nullable=False),
)
"""What exchange-native ids that were traded mean."""

ACTIONS = Table(
    "actions",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("effective_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(corporate_action_pb2.CorporateAction), nullable=False),
)
"""Corporate actions that positions were adjusted for."""

RESERVATIONS = Table(
    "reservations",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("intent", CompressedProto(risk_pb2.OrderIntent), nullable=False),
)
"""Legs, multiplier and the quantity still to be filled, as an intent."""

ACCOUNT = Table(
    "account",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=False),
    Column("cash", ExactDecimal, nullable=False),
    Column("peak_equity", Double, nullable=False),
)
"""One row."""

VALUATIONS = Table(
    "valuations",
    metadata,
    Column("underlying", Text, primary_key=True),
    Column("snapshot_id", Text, nullable=False),
)
"""On which snapshot's surface positions of an underlying are valued."""

DECISIONS = Table(
    "decisions",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("request_id", Text, nullable=False, index=True),
    Column("intent_id", Text, nullable=False),
    Column("signal_id", Text, nullable=False, index=True),
    Column("snapshot_id", Text, nullable=False, index=True),
    Column("approved", Boolean, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(risk_pb2.RiskDecision), nullable=False),
    sqlite_autoincrement=True,
)

REQUESTS = Table(
    "requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("response", Blob(compressed=True), nullable=False),
)
"""Answers given, so that a repeated request gets the same."""

PORTFOLIOS = Table(
    "portfolios",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("snapshot_id", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False, index=True),
    Column("message", CompressedProto(risk_pb2.PortfolioSnapshot), nullable=False),
    sqlite_autoincrement=True,
)

LIMITS = Table(
    "limits",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("time_ns", NanoTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("message", CompressedProto(risk_pb2.RiskLimits), nullable=False),
    sqlite_autoincrement=True,
)

STATES = Table(
    "states",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("time_ns", NanoTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("message", CompressedProto(risk_pb2.RiskState), nullable=False),
    sqlite_autoincrement=True,
)
