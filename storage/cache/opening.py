"""The cache that the settings ask for."""

from __future__ import annotations

from skewline.storage.cache.in_process import InProcessCache
from skewline.storage.cache.interface import Cache
from skewline.storage.cache.redis import RedisCache


def open_cache(redis_url: str | None, namespace: str) -> Cache:
    """The cache in the process, or with a URL the one in Redis.

    `redis_url` is `redis://HOST:PORT/DB`, `rediss://…` (TLS) or `unix://SOCKET`. `namespace` is the service's
    name: caches of one namespace in one Redis share their values. Does not connect. Raises `ValueError` for
    another URL.
    """
    if redis_url is None:
        return InProcessCache()
    try:
        return RedisCache(redis_url, namespace)
    except ValueError as error:
        raise ValueError(f"cache.redis_url: {error}") from error
