"""Corporate actions, and what they made of instruments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.v1 import corporate_action_pb2

revision = "marketdata_0004"
down_revision = "marketdata_0003"
branch_labels = None
depends_on = None

_LINKS = ("successor_id", "predecessor_id")


def upgrade() -> None:
    op.create_table(
        "corporate_actions",
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("new_symbol", sa.Text(), nullable=False),
        sa.Column("effective_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(corporate_action_pb2.CorporateAction), nullable=False),
        sa.PrimaryKeyConstraint("action_id", name="pk_corporate_actions"),
    )
    op.create_index("ix_corporate_actions_effective_ns", "corporate_actions", ["effective_ns", "action_id"])
    for name in _LINKS:
        op.add_column("instruments", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    for name in _LINKS:
        op.drop_column("instruments", name)
    op.drop_table("corporate_actions")
