"""What was seen and said before: spots, and the ideas that are still open."""

from __future__ import annotations

from dataclasses import dataclass, field

from skewline.servers.signal.realised import SpotHistory
from skewline.v1 import signal_pb2


@dataclass(frozen=True, slots=True)
class OpenIdea:
    """A bet that was signalled: it is not made again, nor its contracts used, before `until_ns`."""

    theme: str
    instruments: tuple[str, ...]
    until_ns: int

    @classmethod
    def of(cls, signal: signal_pb2.Signal, theme: str, cooldown_ns: int) -> OpenIdea:
        """Open until the signal's horizon, or until `cooldown_ns` have passed."""
        until_ns = signal.time_ns + min(signal.horizon_ns, cooldown_ns)
        return cls(theme, tuple(leg.instrument_id for leg in signal.legs), until_ns)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one underlying."""

    spots: SpotHistory = field(default_factory=SpotHistory)
    open_ideas: tuple[OpenIdea, ...] = ()

    def at(self, time_ns: int, spot: float, most: int) -> Memory:
        """With the newest spot, without the ideas whose horizon has passed."""
        still_open = tuple(idea for idea in self.open_ideas if idea.until_ns > time_ns)
        return Memory(self.spots.after(time_ns, spot, most), still_open)

    def with_ideas(self, ideas: tuple[OpenIdea, ...]) -> Memory:
        """With more ideas open."""
        return Memory(self.spots, (*self.open_ideas, *ideas))
