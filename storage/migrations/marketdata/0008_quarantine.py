"""The quarantine: contracts set aside, snapshots rejected, messages that are no chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import Blob, NanoTime

revision = "marketdata_0008"
down_revision = "marketdata_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quarantine",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("received_ns", NanoTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.Column("contracts", sa.Integer(), nullable=False),
        sa.Column("content", Blob(compressed=True)),
        sa.PrimaryKeyConstraint("entry_id", name="pk_quarantine"),
    )
    op.create_index("ix_quarantine_time_ns", "quarantine", ["time_ns"])
    op.create_index("ix_quarantine_underlying", "quarantine", ["underlying", "time_ns"])
    op.create_index("ix_quarantine_kind", "quarantine", ["kind", "time_ns"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE quarantine ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("quarantine")
