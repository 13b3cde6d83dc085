"""What was seen and said before: spots, and the ideas that are still open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from skewline.servers.runtime.corporate_actions import adjusted, taking_effect
from skewline.servers.signal.realised import SpotHistory
from skewline.v1 import corporate_action_pb2, signal_pb2


@dataclass(frozen=True, slots=True)
class OpenIdea:
    """A bet that was signalled at `since_ns`: not made again, nor its contracts used, before `until_ns`."""

    theme: str
    instruments: tuple[str, ...]
    since_ns: int
    until_ns: int

    @classmethod
    def of(cls, signal: signal_pb2.Signal, theme: str, cooldown_ns: int) -> OpenIdea:
        """Open until the signal's horizon, or until `cooldown_ns` have passed."""
        until_ns = signal.time_ns + min(signal.horizon_ns, cooldown_ns)
        return cls(theme, tuple(leg.instrument_id for leg in signal.legs), signal.time_ns, until_ns)

    def after(self, action: corporate_action_pb2.CorporateAction) -> OpenIdea:
        """With the contracts that a corporate action made of its own; the same if it came later."""
        if self.since_ns >= action.effective_ns:
            return self
        names = []
        for name in self.instruments:
            found = adjusted(action, name, action.underlying, Decimal(1))
            names.append(name if found is None else found.instrument_id)
        return replace(self, instruments=tuple(names))


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one underlying; `time_ns` is the data time reached."""

    spots: SpotHistory = field(default_factory=SpotHistory)
    open_ideas: tuple[OpenIdea, ...] = ()
    time_ns: int = 0

    def at(
        self,
        time_ns: int,
        spot: float,
        most: int,
        actions: Iterable[corporate_action_pb2.CorporateAction] = (),
    ) -> Memory:
        """With the newest spot, without the ideas whose horizon has passed, in units after `actions`."""
        spots, ideas = self.spots, self.open_ideas
        for action in taking_effect(actions, self.time_ns, time_ns):
            spots = spots.in_units_after(action)
            ideas = tuple(idea.after(action) for idea in ideas)
        still_open = tuple(idea for idea in ideas if idea.until_ns > time_ns)
        return Memory(spots.after(time_ns, spot, most), still_open, max(self.time_ns, time_ns))

    def with_ideas(self, ideas: tuple[OpenIdea, ...]) -> Memory:
        """With more ideas open."""
        return replace(self, open_ideas=(*self.open_ideas, *ideas))
