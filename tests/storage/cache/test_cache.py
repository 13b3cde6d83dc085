"""What every cache does, on each of them."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from skewline.storage.cache import Cache, RedisCache, open_cache


@pytest.fixture(params=["in process", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "redis":
        # Patient: it is not asked here how fast a busy machine connects.
        opened: Cache = RedisCache(request.getfixturevalue("redis_url"), "marketdata", timeout_seconds=30)
    else:
        opened = open_cache(None, "marketdata")
    yield opened
    await opened.close()


async def gone(cache: Cache, key: str) -> None:
    deadline = time.monotonic() + 5
    while await cache.get(key) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_what_was_never_set_is_a_miss(cache: Cache) -> None:
    assert await cache.get("chain.SPX") is None
    assert cache.healthy


@pytest.mark.parametrize("value", [b"", b"\x00\xff\r\n", b"x" * 1_000_000])
async def test_bytes_come_back_as_set(cache: Cache, value: bytes) -> None:
    await cache.set("chain.SPX", value)
    assert await cache.get("chain.SPX") == value


async def test_keys_are_apart_and_exact(cache: Cache) -> None:
    await cache.set("chain.SPX", b"1")
    await cache.set("chain.spx ☃", b"2")
    assert await cache.get("chain.SPX") == b"1"
    assert await cache.get("chain.spx ☃") == b"2"
    assert await cache.get("chain.*") is None


async def test_the_newest_value_wins(cache: Cache) -> None:
    await cache.set("a", b"old")
    await cache.set("a", b"new")
    assert await cache.get("a") == b"new"


async def test_a_deleted_value_is_a_miss_and_deleting_again_is_no_error(cache: Cache) -> None:
    await cache.set("a", b"1")
    await cache.delete("a")
    await cache.delete("a")
    assert await cache.get("a") is None


async def test_a_value_with_time_to_live_is_there_and_then_goes(cache: Cache) -> None:
    await cache.set("long", b"1", ttl_seconds=60)
    await cache.set("short", b"1", ttl_seconds=0.05)
    assert await cache.get("long") == b"1"
    await gone(cache, "short")


async def test_setting_again_without_time_to_live_keeps_the_value(cache: Cache) -> None:
    await cache.set("a", b"1", ttl_seconds=0.05)
    await cache.set("a", b"2")
    await cache.set("probe", b"", ttl_seconds=0.1)
    await gone(cache, "probe")
    assert await cache.get("a") == b"2"


async def test_many_calls_at_once_each_get_their_own_answer(cache: Cache) -> None:
    await asyncio.gather(*(cache.set(str(number), b"%d" % number) for number in range(100)))
    values = await asyncio.gather(*(cache.get(str(number)) for number in range(100)))
    assert values == [b"%d" % number for number in range(100)]


async def test_an_empty_key_is_refused(cache: Cache) -> None:
    for call in (cache.get(""), cache.set("", b""), cache.delete("")):
        with pytest.raises(ValueError, match="key is empty"):
            await call


@pytest.mark.parametrize("ttl", [0, -1, float("nan")])
async def test_a_time_to_live_that_is_not_positive_is_refused(cache: Cache, ttl: float) -> None:
    with pytest.raises(ValueError, match="ttl_seconds"):
        await cache.set("a", b"1", ttl_seconds=ttl)


@pytest.mark.parametrize("url", ["", "rubbish", "http://host", "redis://host:port"])
def test_a_url_that_is_no_redis_names_the_setting(url: str) -> None:
    with pytest.raises(ValueError, match=r"cache\.redis_url"):
        open_cache(url, "marketdata")
