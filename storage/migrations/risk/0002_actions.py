"""Corporate actions that positions were adjusted for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.v1 import corporate_action_pb2

revision = "risk_0002"
down_revision = "risk_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("effective_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(corporate_action_pb2.CorporateAction), nullable=False),
        sa.PrimaryKeyConstraint("action_id", name="pk_actions"),
    )


def downgrade() -> None:
    op.drop_table("actions")
