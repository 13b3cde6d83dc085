"""What every cache does."""

from __future__ import annotations

from typing import Protocol


class Cache(Protocol):
    """Bytes by key, within one namespace, used from one event loop.

    No call raises because a server is away: a read is then a miss and a write is dropped. All raise
    `ValueError` for an empty key or a time to live that is not positive.
    """

    @property
    def healthy(self) -> bool:
        """Whether the last call reached the store; for a health report, not for deciding."""

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none, it has expired, was evicted, or the store is away."""

    async def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> None:
        """Keep `value`, in place of an older one, for `ttl_seconds` or until it is evicted."""

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""

    async def close(self) -> None:
        """Let go of connections; the cache is not used again."""


def require_key(key: str) -> None:
    """Raise `ValueError` for an empty key."""
    if not key:
        raise ValueError("a cache key is empty: name what is kept")


def require_ttl(ttl_seconds: float | None) -> None:
    """Raise `ValueError` for a time to live that is not positive."""
    if ttl_seconds is not None and not ttl_seconds > 0:
        raise ValueError(f"ttl_seconds is {ttl_seconds}, and must be positive, or None to keep the value")
