"""On PostgreSQL and Redis, and while these die, the stack decides what it does on SQLite by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from running_stack import FEW_DAYS, Outcome, running_stack
from servers_under_test.postgres import PostgresServer, installation
from servers_under_test.redis import RedisServer

from skewline.v1 import market_data_service_pb2

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

COMPLETED = market_data_service_pb2.REPLAY_STATUS_COMPLETED
KILL_AT = 3


@pytest.fixture(scope="module")
def spx(market_data: Path) -> str:
    """The source of daily SPX chains."""
    return f"cboe:{market_data / 'spx-2019'}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_sqlite(spx: str, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What a stack decides that needs nothing but itself."""
    async with running_stack(tmp_path_factory.mktemp("sqlite")) as stack:
        last = await stack.replayed(spx, **FEW_DAYS)
        assert last.status == COMPLETED, last.error
        outcome = await stack.outcome()
    assert outcome.fills
    return outcome


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill."""
    server = PostgresServer(installation())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_redis(redis_program: str) -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    server = RedisServer(redis_program)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def parts(postgres_url: str, redis_url: str) -> list[str]:
    return [f"database.url={postgres_url}", f"cache.redis_url={redis_url}", "bus.ack_wait_s=1"]


async def test_postgresql_and_redis_decide_what_sqlite_does(
    on_sqlite: Outcome, spx: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    async with running_stack(tmp_path, parts(postgres_url, redis_url)) as stack:
        last = await stack.replayed(spx, **FEW_DAYS)
        assert last.status == COMPLETED, last.error
        assert await stack.outcome() == on_sqlite


async def test_a_redis_that_dies_in_mid_replay_changes_nothing(
    on_sqlite: Outcome, spx: str, tmp_path: Path, own_redis: RedisServer
) -> None:
    async with running_stack(tmp_path, [f"cache.redis_url={own_redis.url}"]) as stack:
        async for state in stack.replay(spx, **FEW_DAYS):
            if state.fed >= KILL_AT:
                own_redis.stop()
        assert state.status == COMPLETED, state.error
        assert await stack.outcome() == on_sqlite


async def test_a_postgresql_that_dies_in_mid_replay_changes_nothing(
    on_sqlite: Outcome, spx: str, tmp_path: Path, own_postgres: PostgresServer, redis_url: str
) -> None:
    url = own_postgres.url(own_postgres.new_database())
    async with running_stack(tmp_path, parts(url, redis_url)) as stack:
        died = 0
        async for state in stack.replay(spx, **FEW_DAYS):
            if state.fed >= KILL_AT + died and died < 3:
                died += 1
                await asyncio.to_thread(restart, own_postgres)
        assert state.status == COMPLETED, state.error
        assert died == 3
        assert await stack.outcome() == on_sqlite
        restarts = [process.restarts for process in stack.supervisor.state.processes.values()]
        assert not any(restarts), "they outlast it, none dies of it"


def restart(server: PostgresServer) -> None:
    server.halt()
    server.resume()
