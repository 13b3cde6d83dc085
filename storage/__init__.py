"""Storage: each service's own database, its migrations, the inbox and event log, and the cache.

How to add a table to a service (say `order`):

1. Declare it in `storage/order/tables.py`, on the service's own metadata. Use the shared column types,
   so that SQLite and PostgreSQL hold the same values::

       from sqlalchemy import Column, Table, Text
       from skewline.storage.columns import CompressedProto, ExactDecimal, NanoTime
       from skewline.storage.schema import new_metadata

       metadata = new_metadata()          # this name is what the migration check looks for
       FILLS = Table(
           "fills", metadata,
           Column("fill_id", Text, primary_key=True),
           Column("price", ExactDecimal, nullable=False),
           Column("time_ns", NanoTime, nullable=False, index=True),
       )

2. Write the migration that makes it, `storage/migrations/order/0001_fills.py`: `revision = "order_0001"`,
   `down_revision = None`, `branch_labels = ("order",)` (the next file: `"order_0002"`, `"order_0001"` and no
   label), `depends_on = None`, and `upgrade()`/`downgrade()` with `alembic.op`. Name constraints as the
   metadata does (`pk_fills`, `ix_fills_time_ns`, `uq_…`, `fk_…`). Change an existing table with
   `op.batch_alter_table`, which works on SQLite too. A released migration is never edited.

3. Read and write it in `storage/order/repository.py`: functions that take a `Connection` of
   `Database.begin()` (write) or `Database.read()` (snapshot), so that the caller decides what is one
   transaction. Many rows at once: `copy_rows`.

4. `pytest tests/storage` runs upgrade, downgrade, upgrade on both databases and compares the declared tables
   with the migrated ones.

`Database.open(url, "order")` runs what is missing; two processes that start at once wait for one another.
"""
