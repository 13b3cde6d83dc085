"""Chains are stored compressed by us: PostgreSQL need not try again."""

from __future__ import annotations

from alembic import op

revision = "marketdata_0002"
down_revision = "marketdata_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE chains ALTER COLUMN chain SET STORAGE EXTERNAL")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE chains ALTER COLUMN chain SET STORAGE EXTENDED")
