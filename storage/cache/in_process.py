"""A cache in the process itself: the least recently used values leave first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from skewline.storage.cache.interface import require_key, require_ttl

_DEFAULT_BYTES = 256 * 1024 * 1024


class InProcessCache:
    """At most `max_bytes` of values; a larger one is not kept. `clock` gives seconds that only rise."""

    def __init__(self, max_bytes: int = _DEFAULT_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        if max_bytes < 1:
            raise ValueError(f"max_bytes is {max_bytes}, and must be at least 1")
        self._max_bytes = max_bytes
        self._clock = clock
        self._held = 0
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    @property
    def healthy(self) -> bool:
        """Always: there is nothing to be away."""
        return True

    async def get(self, key: str) -> bytes | None:
        """The value, or None where there is none, it has expired or was evicted."""
        require_key(key)
        if key not in self._values:
            return None
        value, expires = self._values[key]
        if self._clock() >= expires:
            self._drop(key)
            return None
        self._values.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> None:
        """Keep `value`, and evict what was not used for longest until all fits."""
        require_key(key)
        require_ttl(ttl_seconds)
        self._drop(key)
        if len(value) > self._max_bytes:
            return
        self._values[key] = (value, float("inf") if ttl_seconds is None else self._clock() + ttl_seconds)
        self._held += len(value)
        while self._held > self._max_bytes:
            self._drop(next(iter(self._values)))

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        require_key(key)
        self._drop(key)

    async def close(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._held = 0

    def _drop(self, key: str) -> None:
        if key in self._values:
            self._held -= len(self._values.pop(key)[0])
