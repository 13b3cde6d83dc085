"""Order books and trades of live feeds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import order_book_pb2

revision = "marketdata_0006"
down_revision = "marketdata_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_books",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_book", CompressedProto(order_book_pb2.OrderBook), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", "time_ns", "update_id", name="pk_order_books"),
    )
    op.create_table(
        "trade_batches",
        sa.Column("sequence", Sequence64, autoincrement=True, nullable=False),
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("first_ns", NanoTime(), nullable=False),
        sa.Column("last_ns", NanoTime(), nullable=False),
        sa.Column("received_ns", NanoTime(), nullable=False),
        sa.Column("published", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("batch", CompressedProto(order_book_pb2.TradeBatch), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_trade_batches"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trade_batches_instrument", "trade_batches", ["instrument_id", "last_id"], unique=True)
    op.create_index("ix_trade_batches_last_ns", "trade_batches", ["instrument_id", "last_ns", "first_id"])
    op.create_index(
        "ix_trade_batches_unpublished",
        "trade_batches",
        ["sequence"],
        sqlite_where=sa.text("published = 0"),
        postgresql_where=sa.text("NOT published"),
    )


def downgrade() -> None:
    op.drop_table("trade_batches")
    op.drop_table("order_books")
