"""Recorded bars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import NanoTime

revision = "marketdata_0005"
down_revision = "marketdata_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bars",
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("interval_ns", NanoTime(), nullable=False),
        sa.Column("start_ns", NanoTime(), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("underlying", "interval_ns", "start_ns", name="pk_bars"),
    )


def downgrade() -> None:
    op.drop_table("bars")
