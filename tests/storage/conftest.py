from collections.abc import Iterator

import pytest

from skewline.storage.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A service's database, up to date, once on SQLite and once on PostgreSQL."""
    with Database.open(database_url, "storage_test") as opened:
        yield opened
