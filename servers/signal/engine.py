"""The service's decisions: which trades a surface suggests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skewline.servers.runtime.corporate_actions import concerning, taking_effect
from skewline.servers.runtime.day_count import DAY_NS
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.aggregate import Candidate, aggregate
from skewline.servers.signal.confidence import confidence_of
from skewline.servers.signal.idea import Idea
from skewline.servers.signal.memory import Memory, OpenIdea
from skewline.servers.signal.message import signal_of
from skewline.servers.signal.selection import select
from skewline.servers.signal.strategies import strategies_of
from skewline.servers.signal.view import GOOD, SurfaceView, view_of
from skewline.v1 import common_pb2, corporate_action_pb2, signal_pb2, surface_pb2


@dataclass(frozen=True, slots=True)
class Assessment:
    """The signals of one surface; in their order, what each was made of, and the idea it leaves open.

    `actions` are the corporate actions for which what is remembered was adjusted.
    """

    signal_set: signal_pb2.SignalSet
    candidates: tuple[Candidate, ...]
    ideas: tuple[OpenIdea, ...]
    actions: tuple[corporate_action_pb2.CorporateAction, ...]


class SignalEngine:
    """Pure: surfaces in, signal sets out. It remembers spots and open ideas, in the data's own time."""

    def __init__(self, settings: SignalSettings) -> None:
        self._settings = settings
        self._strategies = strategies_of(settings)
        self._memory: dict[str, Memory] = {}

    def restore(
        self,
        spots: Iterable[tuple[str, int, float]],
        open_ideas: Iterable[tuple[str, OpenIdea]],
        actions: Sequence[corporate_action_pb2.CorporateAction] = (),
    ) -> None:
        """Take up after `spots` (underlying, data time, spot) and ideas by underlying, each oldest first.

        The newest `spot_history` spots of an underlying are enough; `actions` took effect among them.
        """
        self._memory = {}
        for underlying, time_ns, spot in spots:
            concerned = concerning(actions, underlying)
            memory = self._known(underlying, concerned)
            self._memory[underlying] = memory.at(time_ns, spot, self._settings.spot_history, concerned)
        for underlying, idea in open_ideas:
            name, memory = underlying, self._memory.get(underlying, Memory())
            for action in taking_effect(actions, idea.since_ns, max(idea.until_ns, memory.time_ns)):
                successor = self._memory.get(action.new_symbol or action.underlying, Memory())
                if action.underlying == name and action.effective_ns <= successor.time_ns:
                    name, memory, idea = action.new_symbol or name, successor, idea.after(action)
            self._memory[name] = memory.with_ideas((idea,))

    def on_surface(self, surface: surface_pb2.VolSurface, trace_id: str) -> signal_pb2.SignalSet:
        """The signals of `surface`, with its trace; see `assess`."""
        return self.assess(surface, trace_id).signal_set

    def assess(self, surface: surface_pb2.VolSurface, trace_id: str) -> Assessment:
        """Ask every strategy, aggregate, filter, and remember what was signalled.

        A surface that is not good has no signals, but its spot is remembered.
        """
        settings = self._settings
        memory = self._known(surface.underlying, surface.corporate_actions)
        actions = taking_effect(surface.corporate_actions, memory.time_ns, surface.time_ns)
        memory = memory.at(surface.time_ns, surface.spot, settings.spot_history, actions)
        signal_set = signal_pb2.SignalSet(
            snapshot_id=surface.snapshot_id,
            surface_id=surface.surface_id,
            underlying=surface.underlying,
            time_ns=surface.time_ns,
            provenance=surface.provenance,
        )
        chosen: tuple[Candidate, ...] = ()
        if surface.status == GOOD and surface.spot > 0.0:
            chosen = self._choose(surface, memory, trace_id, signal_set)
        else:
            reasons = ("SURFACE_NOT_GOOD", *(f"SURFACE_NOT_GOOD:{reason}" for reason in surface.reasons))
            signal_set.filtered.extend(common_pb2.ReasonCount(reason=each, count=1) for each in reasons)
        cooldown_ns = round(settings.cooldown_days * DAY_NS)
        ideas = tuple(OpenIdea.of(each.signal, each.theme, cooldown_ns) for each in chosen)
        self._memory[surface.underlying] = memory.with_ideas(ideas)
        return Assessment(signal_set, chosen, ideas, tuple(actions))

    def _known(self, underlying: str, actions: Iterable[corporate_action_pb2.CorporateAction]) -> Memory:
        """What is remembered of an underlying, under its symbol or the one it had before."""
        memory = self._memory.get(underlying)
        if memory is not None:
            return memory
        earlier = [action.underlying for action in actions if action.new_symbol == underlying]
        return next((self._memory[name] for name in earlier if name in self._memory), Memory())

    def _choose(
        self,
        surface: surface_pb2.VolSurface,
        memory: Memory,
        trace_id: str,
        signal_set: signal_pb2.SignalSet,
    ) -> tuple[Candidate, ...]:
        view = view_of(surface, self._settings)
        candidates: list[Candidate] = []
        filtered: dict[str, int] = dict(view.refused)
        for strategy in self._strategies:
            for idea in strategy.ideas(view, memory.spots):
                reason = _unusable(idea)
                if reason:
                    filtered[reason] = filtered.get(reason, 0) + 1
                    continue
                try:
                    candidates.append(self._candidate(view, idea, trace_id))
                except ValueError:
                    filtered["NO_INSTRUMENT_ID"] = filtered.get("NO_INSTRUMENT_ID", 0) + 1
        settled = aggregate(candidates)
        if settled.opposed:
            filtered["OPPOSED"] = settled.opposed
        selected = select(settled.candidates, memory.open_ideas, self._settings)
        for reason, count in selected.filtered.items():
            filtered[reason] = filtered.get(reason, 0) + count
        signal_set.signals.extend(each.signal for each in selected.candidates)
        signal_set.filtered.extend(
            common_pb2.ReasonCount(reason=reason, count=count) for reason, count in sorted(filtered.items())
        )
        return selected.candidates

    def _candidate(self, view: SurfaceView, idea: Idea, trace_id: str) -> Candidate:
        confidence = confidence_of(idea, self._settings)
        return Candidate(signal_of(view, idea, confidence, trace_id), idea.theme)


def _unusable(idea: Idea) -> str:
    numbers = (idea.valuation.edge, idea.valuation.error, idea.stdev)
    if not all(math.isfinite(number) for number in numbers):
        return "NOT_FINITE"
    return "" if idea.valuation.edge > 0.0 else "NO_EDGE_AFTER_SPREAD"
