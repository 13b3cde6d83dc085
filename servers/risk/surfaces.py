"""The surfaces that the engine keeps: recent ones to check on, and those that positions are valued on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from skewline.servers.risk.surface_view import SurfaceView
from skewline.v1 import surface_pb2


class Surfaces:
    """The newest `kept` surfaces of each underlying, and by underlying the one of its newest order batch."""

    def __init__(
        self, kept: int, surfaces: Iterable[surface_pb2.VolSurface] = (), valued_with: Mapping[str, str] = {}
    ) -> None:
        """Goes on from `surfaces`, by time; `valued_with` names snapshots by underlying."""
        self._kept = kept
        self._recent: dict[str, SurfaceView] = {}
        self._newest: dict[str, SurfaceView] = {}
        self._valued: dict[str, SurfaceView] = {}
        for surface in surfaces:
            view = SurfaceView(surface)
            if valued_with.get(view.underlying) == view.snapshot_id:
                self._valued[view.underlying] = view
            self._take(view)

    @property
    def valued(self) -> Mapping[str, SurfaceView]:
        """By underlying, what its positions are valued on."""
        return self._valued

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first surface."""
        return max((view.time_ns for view in self._newest.values()), default=0)

    def take(self, surface: surface_pb2.VolSurface) -> None:
        """Take a surface."""
        self._take(SurfaceView(surface))

    def get(self, snapshot_id: str) -> SurfaceView | None:
        """The surface of a snapshot, if it is among the recent ones."""
        return self._recent.get(snapshot_id)

    def value_on(self, snapshot_id: str) -> None:
        """Value positions of the snapshot's underlying on its surface; changes nothing without it."""
        view = self._recent.get(snapshot_id)
        if view is not None:
            self._valued[view.underlying] = view

    def to_check(self, snapshot_id: str, underlying: str) -> SurfaceView | None:
        """What an intent is checked on: its snapshot's surface, the newest if it names none."""
        if not snapshot_id:
            return self._newest.get(underlying)
        view = self._recent.get(snapshot_id)
        if view is not None and view.underlying == underlying:
            return view
        return self._valued.get(underlying)

    def _take(self, view: SurfaceView) -> None:
        self._recent[view.snapshot_id] = view
        newest = self._newest.get(view.underlying)
        if newest is None or view.time_ns >= newest.time_ns:
            self._newest[view.underlying] = view
        own = [key for key, other in self._recent.items() if other.underlying == view.underlying]
        for key in own[: -self._kept]:
            del self._recent[key]
