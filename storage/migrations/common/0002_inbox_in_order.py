"""The inbox knows the order in which events were handled, so that the oldest can be forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "common_0002"
down_revision = "common_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("place", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_inbox_place", "inbox", ["place"])


def downgrade() -> None:
    op.drop_index("ix_inbox_place", "inbox")
    op.drop_column("inbox", "place")
