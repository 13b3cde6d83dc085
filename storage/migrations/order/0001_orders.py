"""Orders, their events, fills, positions, profit and loss, newest quotes, requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import chain_pb2, order_pb2, order_service_pb2, risk_service_pb2

revision = "order_0001"
down_revision = None
branch_labels = ("order",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", Sequence64, nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("filled_quantity", ExactDecimal(), nullable=False),
        sa.Column("limit_price", ExactDecimal(), nullable=False),
        sa.Column("notional", ExactDecimal(), nullable=False),
        sa.Column("created_ns", NanoTime(), nullable=False),
        sa.Column("updated_ns", NanoTime(), nullable=False),
        sa.Column("expiry_ns", NanoTime(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("message", CompressedProto(order_pb2.Order), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_orders"),
        sa.UniqueConstraint("number", name="uq_orders_number"),
    )
    op.create_index("ix_orders_signal_id", "orders", ["signal_id"])
    op.create_index("ix_orders_status", "orders", ["status"])
    op.create_table(
        "order_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("from_status", sa.Integer(), nullable=False),
        sa.Column("to_status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_order_events"),
    )
    op.create_index("ix_order_events_order_id_sequence", "order_events", ["order_id", "sequence"])
    op.create_table(
        "fills",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("fill_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(order_pb2.Fill), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_fills"),
        sa.UniqueConstraint("fill_id", name="uq_fills_fill_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fills_order_id", "fills", ["order_id"])
    op.create_index("ix_fills_snapshot_id", "fills", ["snapshot_id"])
    op.create_table(
        "positions",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("is_call", sa.Boolean(), nullable=False),
        sa.Column("strike", ExactDecimal(), nullable=False),
        sa.Column("expiry_ns", NanoTime(), nullable=False),
        sa.Column("multiplier", ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("cost", ExactDecimal(), nullable=False),
        sa.Column("realised", ExactDecimal(), nullable=False),
        sa.Column("fees", ExactDecimal(), nullable=False),
        sa.Column("mark", ExactDecimal(), nullable=False),
        sa.Column("mark_ns", NanoTime(), nullable=False),
        sa.Column("mark_provenance", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name="pk_positions"),
    )
    op.create_index("ix_positions_underlying", "positions", ["underlying"])
    op.create_table(
        "pnl",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("realised", ExactDecimal(), nullable=False),
        sa.Column("unrealised", ExactDecimal(), nullable=False),
        sa.Column("fees", ExactDecimal(), nullable=False),
        sa.Column("net", ExactDecimal(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_pnl"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pnl_time_ns", "pnl", ["time_ns"])
    op.create_table(
        "books",
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("chain", CompressedProto(chain_pb2.OptionChain), nullable=False),
        sa.PrimaryKeyConstraint("underlying", name="pk_books"),
    )
    op.create_table(
        "requests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_requests"),
    )
    op.create_table(
        "questions",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("question", CompressedProto(risk_service_pb2.CheckIntentsRequest), nullable=False),
        sa.Column("command", CompressedProto(order_service_pb2.StreamOrdersRequest), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name="pk_questions"),
    )


def downgrade() -> None:
    for table in ("questions", "requests", "books", "pnl", "positions", "fills", "order_events", "orders"):
        op.drop_table(table)
