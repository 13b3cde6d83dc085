"""Stored surfaces by id, the recent ones from the cache."""

from __future__ import annotations

from typing import Final

from skewline.servers.runtime.processor import Processor
from skewline.storage.cache import Cache
from skewline.storage.calibration import repository
from skewline.v1 import surface_pb2

_KEEP_S: Final = 3600.0


class SurfaceStore:
    """Reads surfaces. What an id stands for never changes, so that the cache cannot be stale."""

    def __init__(self, processor: Processor, cache: Cache) -> None:
        self._processor = processor
        self._cache = cache

    async def remember(self, surface: surface_pb2.VolSurface) -> None:
        """Keep a surface at hand that was just committed: it is the current one."""
        await self._cache.set(f"surface:{surface.surface_id}", surface.SerializeToString(), _KEEP_S)

    async def get(self, surface_id: str) -> surface_pb2.VolSurface | None:
        """The surface, None if it is not stored."""
        kept = await self._cache.get(f"surface:{surface_id}")
        if kept is not None:
            return surface_pb2.VolSurface.FromString(kept)
        found = await self._processor.read(lambda connection: repository.surface(connection, surface_id))
        if found is not None:
            await self.remember(found)
        return found

    async def of_snapshot(self, snapshot_id: str) -> surface_pb2.VolSurface | None:
        """The surface fitted to a snapshot, None if there is none."""
        surface_id = await self._processor.read(
            lambda connection: repository.id_of_snapshot(connection, snapshot_id)
        )
        return await self.get(surface_id) if surface_id else None

    async def newest(self, underlying: str, as_of_ns: int = 0) -> surface_pb2.VolSurface | None:
        """The newest surface of `underlying` not after `as_of_ns` (0: of all), None if there is none."""
        surface_id = await self._processor.read(
            lambda connection: repository.newest_id(connection, underlying, as_of_ns)
        )
        return await self.get(surface_id) if surface_id else None
