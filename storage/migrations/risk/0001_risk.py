"""Surfaces, positions, native options, reservations, account, decisions, portfolios, limits, kill switch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import Blob, CompressedProto, ExactDecimal, NanoTime
from skewline.storage.schema import Sequence64
from skewline.v1 import risk_pb2, surface_pb2

revision = "risk_0001"
down_revision = None
branch_labels = ("risk",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "surfaces",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("surface", CompressedProto(surface_pb2.VolSurface), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_surfaces"),
        sa.UniqueConstraint("snapshot_id", name="uq_surfaces_snapshot_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_surfaces_underlying", "surfaces", ["underlying", "time_ns"])
    op.create_table(
        "positions",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("multiplier", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("last_price", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name="pk_positions"),
    )
    op.create_table(
        "options",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("expiry_date", sa.Text(), nullable=False),
        sa.Column("is_call", sa.Boolean(), nullable=False),
        sa.Column("strike", sa.Double(), nullable=False),
        sa.Column("expires_ns", NanoTime(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name="pk_options"),
    )
    op.create_table(
        "reservations",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("intent", CompressedProto(risk_pb2.OrderIntent), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_reservations"),
    )
    op.create_table(
        "account",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cash", ExactDecimal(), nullable=False),
        sa.Column("peak_equity", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_account"),
    )
    op.create_table(
        "valuations",
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("underlying", name="pk_valuations"),
    )
    op.create_table(
        "decisions",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(risk_pb2.RiskDecision), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
        sqlite_autoincrement=True,
    )
    for column in ("request_id", "signal_id", "snapshot_id"):
        op.create_index(f"ix_decisions_{column}", "decisions", [column])
    op.create_table(
        "requests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("response", Blob(compressed=True), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_requests"),
    )
    op.create_table(
        "portfolios",
        sa.Column("number", Sequence64, autoincrement=True, nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("message", CompressedProto(risk_pb2.PortfolioSnapshot), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_portfolios"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_portfolios_time_ns", "portfolios", ["time_ns"])
    for table, message in (("limits", risk_pb2.RiskLimits), ("states", risk_pb2.RiskState)):
        op.create_table(
            table,
            sa.Column("number", Sequence64, autoincrement=True, nullable=False),
            sa.Column("time_ns", NanoTime(), nullable=False),
            sa.Column("changed_by", sa.Text(), nullable=False),
            sa.Column("message", CompressedProto(message), nullable=False),
            sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
            sqlite_autoincrement=True,
        )


def downgrade() -> None:
    for table in (
        "states",
        "limits",
        "portfolios",
        "requests",
        "decisions",
        "valuations",
        "account",
        "reservations",
        "options",
        "positions",
        "surfaces",
    ):
        op.drop_table(table)
