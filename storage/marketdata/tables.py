"""Tables of the market data service."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, Table, Text, text

from skewline.storage.columns import CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import new_metadata
from skewline.v1 import chain_pb2, corporate_action_pb2, market_data_service_pb2

metadata = new_metadata()

CHAINS = Table(
    "chains",
    metadata,
    Column("snapshot_id", Text, primary_key=True),
    Column("underlying", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("provenance", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    # NULL if unknown: SQLite has no NaN.
    Column("spot", Double),
    Column("summary", CompressedProto(chain_pb2.ChainSummary), nullable=False),
    Column("chain", CompressedProto(chain_pb2.OptionChain), nullable=False),
    Index("ix_chains_underlying", "underlying", "status", "time_ns"),
    Index("ix_chains_time_ns", "time_ns"),
)
"""One row a snapshot; the columns of its quotes are inside `chain`."""

INSTRUMENTS = Table(
    "instruments",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("underlying", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("option_right", Integer, nullable=False),
    Column("strike", ExactDecimal),
    Column("expiry_date", Text, nullable=False),
    Column("expiry_ns", NanoTime, nullable=False),
    Column("settlement", Integer, nullable=False),
    Column("exercise", Integer, nullable=False),
    Column("multiplier", ExactDecimal, nullable=False),
    Column("currency", Text, nullable=False),
    Column("tick_below", ExactDecimal),
    Column("tick_threshold", ExactDecimal),
    Column("tick_above", ExactDecimal),
    Column("first_seen_ns", NanoTime, nullable=False),
    # NULL while the newest accepted snapshot has it, so that a snapshot need not touch every row.
    Column("gone_after_ns", NanoTime),
    # What a corporate action made of it, and what it was made from; "" if none did.
    Column("successor_id", Text, nullable=False, server_default=text("''")),
    Column("predecessor_id", Text, nullable=False, server_default=text("''")),
    Index("ix_instruments_underlying", "underlying", "expiry_date"),
)
"""The instrument master; `gone_after_ns` is the time of the last snapshot that had it."""

CORPORATE_ACTIONS = Table(
    "corporate_actions",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("underlying", Text, nullable=False),
    Column("new_symbol", Text, nullable=False),
    Column("effective_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(corporate_action_pb2.CorporateAction), nullable=False),
    Index("ix_corporate_actions_effective_ns", "effective_ns", "action_id"),
)
"""Splits, dividends and symbol changes, each with its newest terms."""

BARS = Table(
    "bars",
    metadata,
    Column("underlying", Text, primary_key=True),
    Column("interval_ns", NanoTime, primary_key=True, autoincrement=False),
    Column("start_ns", NanoTime, primary_key=True, autoincrement=False),
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", Double, nullable=False),
    Column("source", Text, nullable=False),
    Column("provenance", Integer, nullable=False),
)
"""Recorded bars: of each underlying, length and start the newest that was told."""

REPLAYS = Table(
    "replays",
    metadata,
    Column("replay_id", Text, primary_key=True),
    Column("request_id", Text, nullable=False, unique=True),
    Column("status", Integer, nullable=False),
    Column("started_ns", NanoTime, nullable=False),
    Column("next_index", Integer, nullable=False),
    Column("in_flight", Text, nullable=False),
    Column("request", CompressedProto(market_data_service_pb2.StartReplayRequest), nullable=False),
    Column("state", CompressedProto(market_data_service_pb2.Replay), nullable=False),
)
"""One row a replay; `next_index` is fed next, `in_flight` is the snapshot whose consequences are awaited."""

HOP_SAMPLES = Table(
    "hop_samples",
    metadata,
    Column("replay_id", Text, primary_key=True),
    Column("snapshot_id", Text, primary_key=True),
    Column("hop", Text, primary_key=True),
    Column("nanoseconds", NanoTime, nullable=False),
)
"""How long each hop took for each snapshot of a replay."""

FEEDS = Table(
    "feeds",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("feed", Text, nullable=False, index=True),
    Column("started_ns", NanoTime, nullable=False),
    Column("stopped", Boolean, nullable=False),
)
"""One row a request for a live feed; those not stopped begin with the service."""
