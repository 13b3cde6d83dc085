"""The minutes of trades, as bars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import NanoTime

revision = "marketdata_0007"
down_revision = "marketdata_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trade_minutes",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("start_ns", NanoTime(), nullable=False),
        sa.Column("open", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "start_ns", name="pk_trade_minutes"),
    )


def downgrade() -> None:
    op.drop_table("trade_minutes")
