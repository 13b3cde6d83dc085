"""A cache in Redis, whose absence costs speed and nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from skewline.storage.cache.interface import require_key, require_ttl

_LOG = logging.getLogger(__name__)
_SWEEP = 500
# More calls at once take turns: a burst that opened a connection each would run into its own timeout.
_CONNECTIONS = 8

ResultT = TypeVar("ResultT")


class RedisCache:
    """Values under `skewline:<namespace>:<key>` of the Redis at `url`.

    After a failed call Redis is left alone for `retry_seconds`, so that a dead one does not cost
    `timeout_seconds` a call; reads are misses meanwhile. A dropped write may leave its older value in Redis:
    the namespace is emptied before it is read again. `clock` gives rising seconds. The first call connects.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        *,
        timeout_seconds: float = 0.5,
        retry_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not namespace or any(sign in namespace for sign in ":*?[\\"):
            raise ValueError(f"namespace {namespace!r} must be a plain name")
        self._prefix = f"skewline:{namespace}:"
        self._retry_seconds = retry_seconds
        self._clock = clock
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis.from_pool(pool)
        self._away_until: float | None = None
        self._write_lost = False

    @property
    def healthy(self) -> bool:
        """Whether the last call reached Redis."""
        return self._away_until is None

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none, it has expired, was evicted, or Redis is away."""
        require_key(key)
        value = await self._attempt(lambda: self._client.get(self._prefix + key), writes=False)
        # The client is typed for decoding ones too; this one does not decode.
        return cast("bytes | None", value)

    async def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> None:
        """Keep `value` for `ttl_seconds` (in whole milliseconds, at least one) or until it is evicted."""
        require_key(key)
        require_ttl(ttl_seconds)
        milliseconds = None if ttl_seconds is None else max(1, round(ttl_seconds * 1000))
        await self._attempt(lambda: self._client.set(self._prefix + key, value, px=milliseconds), writes=True)

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        require_key(key)
        await self._attempt(lambda: self._client.delete(self._prefix + key), writes=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(self, call: Callable[[], Awaitable[ResultT]], *, writes: bool) -> ResultT | None:
        if self._away_until is not None and self._clock() < self._away_until:
            self._write_lost |= writes
            return None
        try:
            if self._write_lost:
                await self._sweep()
            result = await call()
        except (RedisError, OSError) as error:
            self._write_lost |= writes
            if self._away_until is None:
                _LOG.warning("cache.redis_url: Redis fails, every read is a miss until it answers: %s", error)
            self._away_until = self._clock() + self._retry_seconds
            return None
        if self._away_until is not None:
            _LOG.info("Redis answers again")
            self._away_until = None
        return result

    async def _sweep(self) -> None:
        keys = [key async for key in self._client.scan_iter(match=f"{self._prefix}*", count=_SWEEP)]
        for start in range(0, len(keys), _SWEEP):
            await self._client.unlink(*keys[start : start + _SWEEP])
        self._write_lost = False
