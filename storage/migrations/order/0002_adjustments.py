"""What corporate actions changed of positions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import corporate_action_pb2

revision = "order_0002"
down_revision = "order_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "adjustments",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("adjustment_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(corporate_action_pb2.ContractAdjustment), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_adjustments"),
        sa.UniqueConstraint("adjustment_id", name="uq_adjustments_adjustment_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_adjustments_underlying", "adjustments", ["underlying"])


def downgrade() -> None:
    op.drop_table("adjustments")
