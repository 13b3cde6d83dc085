"""Tables of the calibration service."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, Text

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64, new_metadata
from skewline.storage.timescale import HYPERTABLE, Hypertable
from skewline.v1 import surface_pb2

metadata = new_metadata()

SURFACES = Table(
    "surfaces",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=True),
    Column("surface_id", Text, nullable=False, unique=True),
    Column("snapshot_id", Text, nullable=False, unique=True),
    Column("underlying", Text, nullable=False),
    Column("time_ns", NanoTime, nullable=False),
    Column("provenance", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("heston_status", Integer, nullable=False),
    Column("atm_vol_30d", Double, nullable=False),
    Column("rmse", Double, nullable=False),
    Column("summary", CompressedProto(surface_pb2.VolSurface), nullable=False),
    Column("surface", CompressedProto(surface_pb2.VolSurface), nullable=False),
    Index("ix_surfaces_underlying_time_ns", "underlying", "time_ns"),
    Index("ix_surfaces_time_ns", "time_ns"),
    info={HYPERTABLE: Hypertable("time_ns", segment_by=("underlying",))},
)
"""One row a snapshot, numbered in the order of fitting; `summary` is without the columns of the slices."""
