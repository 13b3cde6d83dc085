"""Inbox and event log, in every service's database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import Blob, NanoTime
from skewline.storage.schema import Sequence64

revision = "common_0001"
down_revision = None
branch_labels = ("common",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_inbox"),
    )
    op.create_table(
        "event_log",
        sa.Column("sequence", Sequence64, autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("payload", Blob(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_event_log"),
        sa.UniqueConstraint("event_id", name="uq_event_log_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_event_log_unpublished",
        "event_log",
        ["sequence"],
        sqlite_where=sa.text("published = 0"),
        postgresql_where=sa.text("NOT published"),
    )


def downgrade() -> None:
    op.drop_table("event_log")
    op.drop_table("inbox")
