"""Bring a service's tables to the version that this code knows.

Each service has its own line of revisions in `migrations/<service>/`, next to the line `migrations/common/`
that every database has. Alembic runs them as two branches of one history, in one transaction, under a lock
over all processes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table

from skewline.storage import timescale
from skewline.storage.errors import SchemaTooNewError
from skewline.storage.schema import new_metadata

if TYPE_CHECKING:
    from skewline.storage.database import Database

_ROOM = Path(__file__).parent
_FOLDER = _ROOM / "migrations"


def upgrade(database: Database) -> None:
    """Run every revision that `database` lacks, all or none. Raises `SchemaTooNewError`."""
    script = _script(database.service)
    tables = own_tables(database.service)
    # Most starts find nothing to do, and must not wait then for the write lock of a running process.
    with database.read() as connection:
        if set(_present(connection)) == set(script.get_heads()) and not timescale.waiting(connection, tables):
            return
    with database.changing_schema() as connection:
        known = {revision.revision for revision in script.walk_revisions()}
        if unknown := [revision for revision in _present(connection) if revision not in known]:
            raise SchemaTooNewError(
                f"{database.shown_url} holds unknown tables (revision {', '.join(unknown)})",
                "run the newer version of Skewline that made them, or name another database",
            )
        _run(connection, script, lambda present: script._upgrade_revs("heads", present))
        # Not a revision: the extension may come to a database that has its tables already.
        timescale.make_hypertables(connection, tables)


def downgrade(database: Database, to: str = "base") -> None:
    """Undo every revision after `to`; after "base" all tables of the service are dropped."""
    script = _script(database.service)
    with database.changing_schema() as connection:
        _run(connection, script, lambda present: script._downgrade_revs(to, present))


def differences(database: Database) -> list[Any]:
    """What Alembic would still change to make the tables as the code declares them; empty when they agree."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, declared(database.service)))


def own_tables(service: str) -> Sequence[Table]:
    """The tables that are `service`'s alone."""
    if not (_ROOM / service / "tables.py").exists():
        return ()
    module = importlib.import_module(f"skewline.storage.{service}.tables")
    return cast("MetaData", module.metadata).sorted_tables


def declared(service: str) -> MetaData:
    """All tables that the code declares for `service`: the common ones and its own."""
    together = new_metadata()
    sources = ["skewline.storage.schema"]
    if (_ROOM / service / "tables.py").exists():
        sources.append(f"skewline.storage.{service}.tables")
    for source in sources:
        for table in importlib.import_module(source).metadata.sorted_tables:
            table.to_metadata(together)
    return together


def _script(service: str) -> ScriptDirectory:
    folders = [_FOLDER / "common", _FOLDER / service]
    return ScriptDirectory(
        str(_FOLDER), version_locations=[str(folder) for folder in folders if folder.is_dir()]
    )


def _present(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


def _run(connection: Connection, script: ScriptDirectory, steps: Callable[[Any], Any]) -> None:
    with EnvironmentContext(Config(), script, fn=lambda present, _context: steps(present)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
