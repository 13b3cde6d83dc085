"""Fitted surfaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import surface_pb2

revision = "calibration_0001"
down_revision = None
branch_labels = ("calibration",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "surfaces",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("surface_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("heston_status", sa.Integer(), nullable=False),
        sa.Column("atm_vol_30d", sa.Double(), nullable=False),
        sa.Column("rmse", sa.Double(), nullable=False),
        sa.Column("summary", CompressedProto(surface_pb2.VolSurface), nullable=False),
        sa.Column("surface", CompressedProto(surface_pb2.VolSurface), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_surfaces"),
        sa.UniqueConstraint("surface_id", name="uq_surfaces_surface_id"),
        sa.UniqueConstraint("snapshot_id", name="uq_surfaces_snapshot_id"),
    )
    op.create_index("ix_surfaces_underlying_time_ns", "surfaces", ["underlying", "time_ns"])
    op.create_index("ix_surfaces_time_ns", "surfaces", ["time_ns"])


def downgrade() -> None:
    op.drop_table("surfaces")
