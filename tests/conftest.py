"""What every test may ask for: real servers, databases of its own, and the market data."""

from pathlib import Path

import pytest
from hypothesis import settings
from market_data_folder import FOLDER, MISSING
from servers_under_test.nats import nats_server
from servers_under_test.otlp import otlp_receiver
from servers_under_test.postgres import postgres_server, postgres_url
from servers_under_test.redis import redis_program, redis_server, redis_url

__all__ = [
    "nats_server",
    "otlp_receiver",
    "postgres_server",
    "postgres_url",
    "redis_program",
    "redis_server",
    "redis_url",
]

# The same examples in every run, and none that fails because the machine was busy.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of real market data: `SKEWLINE_TEST_DATA`, by default ../shared/data at the repository."""
    if not FOLDER.is_dir():
        pytest.skip(MISSING)
    return FOLDER


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A `database.url` of the test's own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}"
    url: str = request.getfixturevalue("postgres_url")
    return url
