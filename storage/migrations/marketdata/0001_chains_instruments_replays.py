"""Chain snapshots, the instrument master and replays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import CompressedProto, ExactDecimal, NanoTime
from skewline.v1 import chain_pb2, market_data_service_pb2

revision = "marketdata_0001"
down_revision = None
branch_labels = ("marketdata",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chains",
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("time_ns", NanoTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provenance", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("spot", sa.Double()),
        sa.Column("summary", CompressedProto(chain_pb2.ChainSummary), nullable=False),
        sa.Column("chain", CompressedProto(chain_pb2.OptionChain), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", name="pk_chains"),
    )
    op.create_index("ix_chains_underlying", "chains", ["underlying", "status", "time_ns"])
    op.create_index("ix_chains_time_ns", "chains", ["time_ns"])
    op.create_table(
        "instruments",
        sa.Column("instrument_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("underlying", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("option_right", sa.Integer(), nullable=False),
        sa.Column("strike", ExactDecimal()),
        sa.Column("expiry_date", sa.Text(), nullable=False),
        sa.Column("expiry_ns", NanoTime(), nullable=False),
        sa.Column("settlement", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.Integer(), nullable=False),
        sa.Column("multiplier", ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tick_below", ExactDecimal()),
        sa.Column("tick_threshold", ExactDecimal()),
        sa.Column("tick_above", ExactDecimal()),
        sa.Column("first_seen_ns", NanoTime(), nullable=False),
        sa.Column("gone_after_ns", NanoTime()),
        sa.PrimaryKeyConstraint("instrument_id", name="pk_instruments"),
    )
    op.create_index("ix_instruments_underlying", "instruments", ["underlying", "expiry_date"])
    op.create_table(
        "replays",
        sa.Column("replay_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("started_ns", NanoTime(), nullable=False),
        sa.Column("next_index", sa.Integer(), nullable=False),
        sa.Column("in_flight", sa.Text(), nullable=False),
        sa.Column("request", CompressedProto(market_data_service_pb2.StartReplayRequest), nullable=False),
        sa.Column("state", CompressedProto(market_data_service_pb2.Replay), nullable=False),
        sa.PrimaryKeyConstraint("replay_id", name="pk_replays"),
        sa.UniqueConstraint("request_id", name="uq_replays_request_id"),
    )
    op.create_table(
        "hop_samples",
        sa.Column("replay_id", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("nanoseconds", NanoTime(), nullable=False),
        sa.PrimaryKeyConstraint("replay_id", "snapshot_id", "hop", name="pk_hop_samples"),
    )


def downgrade() -> None:
    op.drop_table("hop_samples")
    op.drop_table("replays")
    op.drop_table("instruments")
    op.drop_table("chains")
