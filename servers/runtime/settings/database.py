"""Settings of the databases."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.url import one_of_schemes

PostgresUrl = Annotated[str, AfterValidator(one_of_schemes("postgresql+psycopg"))]


class DatabaseSettings(Section):
    """Where services keep their tables, and how hard a commit is pressed to the disk."""

    url: PostgresUrl | None = Field(default=None, repr=False)
    """PostgreSQL (`postgresql+psycopg://user@host/name`), one schema a service; unset: SQLite files."""

    synchronous: Literal["full", "normal"] = "normal"
    """SQLite: with `full` a commit survives a power cut, with `normal` a crash of the process."""
