"""Signals, and the spots that realised volatility is made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import signal_pb2

revision = "signal_0001"
down_revision = None
branch_labels = ("signal",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spots",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("surface_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("spot", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_spots"),
        sa.UniqueConstraint("surface_id", name="uq_spots_surface_id"),
    )
    op.create_index("ix_spots_underlying_number", "spots", ["underlying", "number"])
    op.create_table(
        "signals",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("number", Sequence64, nullable=False),
        sa.Column("surface_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("strategy", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("until_ns", NanoTime(), nullable=False),
        sa.Column("part_of", sa.Text(), nullable=False),
        sa.Column("signal", CompressedProto(signal_pb2.Signal), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name="pk_signals"),
        sa.UniqueConstraint("number", name="uq_signals_number"),
    )
    op.create_index("ix_signals_part_of", "signals", ["part_of"])
    op.create_index("ix_signals_time_ns", "signals", ["time_ns"])
    op.create_index("ix_signals_underlying_time_ns", "signals", ["underlying", "time_ns"])
    op.create_index("ix_signals_until_ns", "signals", ["until_ns"])


def downgrade() -> None:
    op.drop_table("signals")
    op.drop_table("spots")
