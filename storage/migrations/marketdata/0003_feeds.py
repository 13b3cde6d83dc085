"""Live feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import NanoTime

revision = "marketdata_0003"
down_revision = "marketdata_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("started_ns", NanoTime(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_feeds"),
    )
    op.create_index("ix_feeds_feed", "feeds", ["feed"])


def downgrade() -> None:
    op.drop_table("feeds")
