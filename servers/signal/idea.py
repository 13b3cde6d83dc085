"""A trade idea before it is weighed against others, and what finds such ideas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from skewline.servers.signal.realised import SpotHistory
from skewline.servers.signal.structure import Leg, Valuation
from skewline.servers.signal.view import SurfaceView
from skewline.v1 import signal_pb2


@dataclass(frozen=True, slots=True)
class Seen:
    """One number that a strategy saw."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Idea:
    """A structure that one strategy would trade, and why.

    `theme` names what it bets on: the same bet is not made again while it is open. `stdev` is of one unit's
    outcome over the horizon, per unit of underlying, as is everything in `valuation`.
    """

    strategy: signal_pb2.Strategy.ValueType
    theme: str
    legs: tuple[Leg, ...]
    valuation: Valuation
    stdev: float
    fit_error: float
    horizon_ns: int
    evidence: tuple[Seen, ...]
    explanation: str


class Strategy(Protocol):
    """Looks at one surface, with the spots seen before it, and has ideas."""

    def ideas(self, surface: SurfaceView, spots: SpotHistory) -> Iterable[Idea]:
        """Every structure worth a thought; filters come later."""


Strategies = Sequence[Strategy]
