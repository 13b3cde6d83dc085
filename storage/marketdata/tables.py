"""Tables of the market data service."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, false, text

from skewline.storage.columns import Blob, CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import Sequence64, new_metadata
from skewline.storage.timescale import HYPERTABLE, Hypertable
from skewline.v1 import chain_pb2, corporate_action_pb2, market_data_service_pb2, order_book_pb2

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
    info={HYPERTABLE: Hypertable("time_ns", segment_by=("underlying",))},
)
"""One row a snapshot; the columns of its quotes are inside `chain`."""

QUARANTINE = Table(
    "quarantine",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("underlying", Text, nullable=False),
    Column("snapshot_id", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("received_ns", NanoTime, nullable=False),
    Column("source", Text, nullable=False),
    Column("provenance", Integer, nullable=False),
    Column("contracts", Integer, nullable=False),
    # NULL for a whole snapshot, which is among the chains.
    Column("content", Blob(compressed=True)),
    Index("ix_quarantine_time_ns", "time_ns"),
    Index("ix_quarantine_underlying", "underlying", "time_ns"),
    Index("ix_quarantine_kind", "kind", "time_ns"),
    info={HYPERTABLE: Hypertable("time_ns", segment_by=("underlying", "reason"))},
)
"""What was not let through; `content` is the chain of the contracts set aside, or the bytes of a message."""

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
    info={HYPERTABLE: Hypertable("start_ns", segment_by=("underlying", "interval_ns"), chunk_days=90)},
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

ORDER_BOOKS = Table(
    "order_books",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("time_ns", NanoTime, primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("order_book", CompressedProto(order_book_pb2.OrderBook), nullable=False),
    info={HYPERTABLE: Hypertable("time_ns", segment_by=("instrument_id",))},
)
"""An instrument's order book now and then; those in between went to subscribers only."""

TRADE_MINUTES = Table(
    "trade_minutes",
    metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("start_ns", NanoTime, primary_key=True),
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", Double, nullable=False),
    Column("trades", Integer, nullable=False),
    Column("provenance", Integer, nullable=False),
)
"""The minutes of the trades stored, as bars; they stay when the trades go."""

TRADE_BATCHES = Table(
    "trade_batches",
    metadata,
    # The order in which subscribers get them.
    Column("sequence", Sequence64, primary_key=True, autoincrement=True),
    Column("instrument_id", Text, nullable=False),
    # The venue's ids of the first and the last trade of it: no trade is in two batches.
    Column("first_id", BigInteger, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    # The earliest and the latest time in it.
    Column("first_ns", NanoTime, nullable=False),
    Column("last_ns", NanoTime, nullable=False),
    Column("received_ns", NanoTime, nullable=False),
    Column("published", Boolean, nullable=False, server_default=false()),
    Column("batch", CompressedProto(order_book_pb2.TradeBatch), nullable=False),
    Index("ix_trade_batches_instrument", "instrument_id", "last_id", unique=True),
    Index("ix_trade_batches_last_ns", "instrument_id", "last_ns", "first_id"),
    Index(
        "ix_trade_batches_unpublished",
        "sequence",
        sqlite_where=text("published = 0"),
        postgresql_where=text("NOT published"),
    ),
    # A number is never used twice, also after the newest rows were deleted.
    sqlite_autoincrement=True,
)
"""Trades as they came, a batch a row."""
