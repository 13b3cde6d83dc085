import asyncio
import logging
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from redis.asyncio import Redis
from servers_under_test.redis import RedisServer

from skewline.storage.cache import RedisCache


@pytest.fixture
def own_server(redis_program: str) -> Iterator[RedisServer]:
    server = RedisServer(redis_program)
    server.start()
    yield server
    server.remove()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cache(own_server: RedisServer, clock: Clock) -> AsyncIterator[RedisCache]:
    opened = RedisCache(own_server.url, "order", timeout_seconds=0.3, retry_seconds=2, clock=clock)
    yield opened
    await opened.close()


async def test_namespaces_in_one_redis_are_apart(redis_url: str) -> None:
    first, second = RedisCache(redis_url, "order"), RedisCache(redis_url, "risk")
    await first.set("a", b"1")
    assert await second.get("a") is None
    assert await RedisCache(redis_url, "order").get("a") == b"1"
    await first.close()
    await second.close()


async def test_without_redis_reads_are_misses_and_it_is_said_once(
    cache: RedisCache, own_server: RedisServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await cache.set("a", b"1")
    own_server.stop()
    for _ in range(3):
        assert await cache.get("a") is None
        await cache.set("a", b"2")
        await cache.delete("b")
        clock.now += 3
    assert not cache.healthy
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cache.redis_url" in caplog.text


async def test_it_is_used_again_once_it_is_back(
    cache: RedisCache, own_server: RedisServer, clock: Clock
) -> None:
    own_server.stop()
    await cache.get("a")
    own_server.start()
    health = []
    for value in (b"1", b"2"):
        await cache.set("a", value)
        health.append(cache.healthy)
        clock.now += 2
    assert health == [False, True]
    assert await cache.get("a") == b"2"


async def test_a_redis_that_hangs_costs_one_timeout_and_then_nothing(
    cache: RedisCache, own_server: RedisServer
) -> None:
    await cache.set("a", b"1")
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(5):
            for _ in range(1_000):
                assert await cache.get("a") is None
    finally:
        os.kill(own_server.pid, signal.SIGCONT)


async def test_a_value_whose_update_was_dropped_is_not_read_again(
    cache: RedisCache, own_server: RedisServer, clock: Clock
) -> None:
    other = RedisCache(own_server.url, "risk")
    await other.set("a", b"untouched")
    await cache.set("a", b"old")
    os.kill(own_server.pid, signal.SIGSTOP)
    await cache.get("a")
    await cache.set("a", b"new")
    os.kill(own_server.pid, signal.SIGCONT)
    clock.now += 2
    assert await cache.get("a") is None
    assert cache.healthy
    assert await other.get("a") == b"untouched"
    await other.close()


async def test_a_cancelled_call_leaves_the_next_its_own_answer(
    cache: RedisCache, own_server: RedisServer, clock: Clock
) -> None:
    await cache.set("a", b"1")
    await cache.set("b", b"2")
    os.kill(own_server.pid, signal.SIGSTOP)
    reading = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    reading.cancel()
    # Python 3.11's wait_for, which the client uses, may lose the cancellation: then the call times out, and
    # Redis counts as away for two seconds.
    with suppress(asyncio.CancelledError):
        assert await reading is None
    os.kill(own_server.pid, signal.SIGCONT)
    clock.now += 2
    assert await cache.get("b") == b"2"


@pytest.mark.parametrize("login", ["", ":wrong@"])
async def test_a_wrong_password_is_a_miss_that_is_explained(
    redis_program: str, login: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = RedisServer(redis_program, password="right")
    server.start()
    try:
        cache = RedisCache(server.url.replace("//", f"//{login}", 1), "order")
        assert await cache.get("a") is None
        await cache.close()
        assert re.search("authenticat|password", caplog.text)
        assert login not in caplog.text or not login
    finally:
        server.remove()


@pytest.mark.parametrize("namespace", ["", "a:b", "a*", "[a]"])
def test_a_namespace_that_is_no_plain_name_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        RedisCache("redis://127.0.0.1", namespace)


async def test_a_burst_of_calls_shares_a_few_connections(own_server: RedisServer) -> None:
    cache = RedisCache(own_server.url, "order", timeout_seconds=10)
    await asyncio.gather(*(cache.set(str(number), b"1") for number in range(100)))
    async with Redis.from_url(own_server.url) as other:
        assert len(await other.client_list()) <= 10
    assert cache.healthy
    await cache.close()
