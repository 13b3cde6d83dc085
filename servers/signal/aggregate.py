"""Several strategies on the same legs: one signal, of those that agree less those that do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skewline.servers.runtime.identity import derive_id
from skewline.servers.signal.confidence import pooled
from skewline.servers.signal.message import legs_text, opposite_text
from skewline.v1 import signal_pb2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signal, the bet it makes, and the signals that it combines."""

    signal: signal_pb2.Signal
    theme: str
    components: tuple[signal_pb2.Signal, ...] = ()

    @property
    def score(self) -> float:
        """Edge over its standard deviation."""
        return self.signal.edge / self.signal.edge_stdev if self.signal.edge_stdev > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What is left, and how many signals cancelled one another."""

    candidates: tuple[Candidate, ...]
    opposed: int


def aggregate(candidates: Iterable[Candidate]) -> Aggregated:
    """Group by legs, whichever way round.

    One strategy saying the same twice counts once (the better). Strategies that agree become one AGGREGATE:
    log-odds added, edge and its stdev weighted by confidence. Those that say the opposite take their log-odds
    away; where nothing is left for the stronger side, all of the group cancel.
    """
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        legs = tuple(each.signal.legs)
        groups.setdefault(min(legs_text(legs), opposite_text(legs)), []).append(each)
    kept: list[Candidate] = []
    opposed = 0
    for group in groups.values():
        settled = _settle(_best_of_each_strategy(group))
        if settled is None:
            opposed += len(group)
        else:
            kept.append(settled)
    return Aggregated(tuple(kept), opposed)


def _best_of_each_strategy(group: Sequence[Candidate]) -> list[Candidate]:
    best: dict[tuple[int, str], Candidate] = {}
    for each in group:
        key = (each.signal.strategy, legs_text(tuple(each.signal.legs)))
        if key not in best or each.signal.confidence > best[key].signal.confidence:
            best[key] = each
    return list(best.values())


def _settle(group: Sequence[Candidate]) -> Candidate | None:
    if len(group) == 1:
        return group[0]
    strongest = max(group, key=lambda each: each.signal.confidence)
    legs = legs_text(tuple(strongest.signal.legs))
    signs = [1 if legs_text(tuple(each.signal.legs)) == legs else -1 for each in group]
    confidence = pooled([each.signal.confidence for each in group], signs)
    if confidence <= 0.5:
        return None
    agreeing = [each.signal for each, sign in zip(group, signs, strict=True) if sign > 0]
    weight = sum(each.confidence for each in agreeing)
    signal = signal_pb2.Signal()
    signal.CopyFrom(strongest.signal)
    signal.signal_id = derive_id(
        "signal", signal.surface_id, signal_pb2.Strategy.Name(signal_pb2.STRATEGY_AGGREGATE), legs
    )
    signal.strategy = signal_pb2.STRATEGY_AGGREGATE
    signal.edge = sum(each.confidence * each.edge for each in agreeing) / weight
    signal.edge_vol = sum(each.confidence * each.edge_vol for each in agreeing) / weight
    signal.edge_stdev = sum(each.confidence * each.edge_stdev for each in agreeing) / weight
    signal.confidence = confidence
    signal.horizon_ns = max(each.horizon_ns for each in agreeing)
    signal.component_ids.extend(each.signal.signal_id for each in group)
    del signal.evidence[:]
    for each, sign in zip(group, signs, strict=True):
        name = signal_pb2.Strategy.Name(each.signal.strategy).removeprefix("STRATEGY_").lower()
        signal.evidence.add(
            name=f"{name}_confidence", value=sign * each.signal.confidence, unit="probability"
        )
        if sign > 0:
            signal.evidence.extend(each.signal.evidence)
    against = len(group) - len(agreeing)
    signal.explanation = f"{len(agreeing)} for, {against} against: " + "; ".join(
        each.signal.explanation for each in group
    )
    return Candidate(signal, strongest.theme, tuple(each.signal for each in group))
