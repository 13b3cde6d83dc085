import pytest

from skewline.storage.cache import InProcessCache


async def test_the_least_recently_used_leaves_first() -> None:
    cache = InProcessCache(max_bytes=30)
    for key in "abc":
        await cache.set(key, b"0123456789")
    await cache.get("a")
    await cache.set("d", b"0123456789")
    assert [key for key in "abcd" if await cache.get(key) is not None] == ["a", "c", "d"]


async def test_as_many_leave_as_the_new_value_needs() -> None:
    cache = InProcessCache(max_bytes=30)
    for key in "abc":
        await cache.set(key, b"0123456789")
    await cache.set("d", b"x" * 15)
    assert [key for key in "abcd" if await cache.get(key) is not None] == ["c", "d"]


async def test_a_value_above_the_bound_is_not_kept_and_takes_its_old_one_along() -> None:
    cache = InProcessCache(max_bytes=10)
    await cache.set("a", b"old")
    await cache.set("b", b"other")
    await cache.set("a", b"x" * 11)
    assert await cache.get("a") is None
    assert await cache.get("b") == b"other"


async def test_room_of_deleted_replaced_and_expired_values_is_free_again() -> None:
    now = 0.0
    cache = InProcessCache(max_bytes=30, clock=lambda: now)
    await cache.set("replaced", b"x" * 20)
    await cache.set("replaced", b"x" * 5)
    await cache.set("deleted", b"x" * 20)
    await cache.delete("deleted")
    await cache.set("expired", b"x" * 20, ttl_seconds=1)
    now = 1.0
    assert await cache.get("expired") is None
    await cache.set("last", b"x" * 25)
    assert await cache.get("replaced") == b"x" * 5


async def test_a_value_expires_at_its_time_and_not_before() -> None:
    now = 100.0
    cache = InProcessCache(clock=lambda: now)
    await cache.set("a", b"1", ttl_seconds=10)
    now = 109.999
    assert await cache.get("a") == b"1"
    now = 110.0
    assert await cache.get("a") is None


def test_a_bound_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        InProcessCache(max_bytes=0)
