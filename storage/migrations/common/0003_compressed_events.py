"""The event log's payloads are compressed: a log of chains and surfaces is a fifth of its size."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from skewline.storage.columns import Blob

revision = "common_0003"
down_revision = "common_0002"
branch_labels = None
depends_on = None

_PLAIN = sa.table("event_log", sa.column("sequence"), sa.column("payload", Blob()))
_COMPRESSED = sa.table("event_log", sa.column("sequence"), sa.column("payload", Blob(compressed=True)))


def upgrade() -> None:
    _rewrite(_PLAIN, _COMPRESSED)
    if op.get_bind().dialect.name == "postgresql":
        # They are compressed: trying again would cost more than all the rest of an insert.
        op.execute("ALTER TABLE event_log ALTER COLUMN payload SET STORAGE EXTERNAL")


def downgrade() -> None:
    _rewrite(_COMPRESSED, _PLAIN)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE event_log ALTER COLUMN payload SET STORAGE EXTENDED")


def _rewrite(old: sa.TableClause, new: sa.TableClause) -> None:
    connection = op.get_bind()
    # One by one: the log is short, its events may be long.
    for sequence in list(connection.execute(sa.select(old.c.sequence)).scalars()):
        payload = connection.execute(sa.select(old.c.payload).where(old.c.sequence == sequence)).scalar_one()
        connection.execute(sa.update(new).where(new.c.sequence == sequence).values(payload=payload))
