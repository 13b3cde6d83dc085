"""Tables of the signal service."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, Text

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64, new_metadata
from skewline.v1 import corporate_action_pb2, signal_pb2

metadata = new_metadata()

SPOTS = Table(
    "spots",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("surface_id", Text, nullable=False, unique=True),
    Column("underlying", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("spot", Double, nullable=False),
    Index("ix_spots_underlying_number", "underlying", "number"),
)
"""One row a surface seen, numbered in that order."""

ACTIONS = Table(
    "actions",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("effective_ns", NanoTime, nullable=False),
    Column("message", CompressedProto(corporate_action_pb2.CorporateAction), nullable=False),
)
"""Corporate actions that spots and open ideas were adjusted for."""

SIGNALS = Table(
    "signals",
    metadata,
    Column("signal_id", Text, primary_key=True),
    Column("number", Sequence64, nullable=False, unique=True),
    Column("surface_id", Text, nullable=False),
    Column("snapshot_id", Text, nullable=False),
    Column("underlying", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("strategy", Integer, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("theme", Text, nullable=False),
    Column("until_ns", NanoTime, nullable=False),
    # Empty for a signal of its own; else the aggregate that it went into, which alone is traded.
    Column("part_of", Text, nullable=False, index=True),
    Column("signal", CompressedProto(signal_pb2.Signal), nullable=False),
    Index("ix_signals_time_ns", "time_ns"),
    Index("ix_signals_underlying_time_ns", "underlying", "time_ns"),
    Index("ix_signals_until_ns", "until_ns"),
)
"""Signals and the components of aggregates; `theme` and `until_ns` say which bet is open for how long."""
