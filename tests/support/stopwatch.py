"""How long calls take, on a machine that may be busy with something else."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Call = Callable[[], object]

#: A run is as many calls as it takes to last this long: the clock's own cost and grain must not matter.
_SHORTEST_RUN = 2e-4
_FEWEST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a call: of the shortest run, and of the one in the middle."""

    best: float
    middle: float
    turns: tuple[float, ...] = ()
    """Of every run, in order."""

    @property
    def spread(self) -> float:
        """How much longer the run in the middle took; 0 on a machine that is left alone."""
        return self.middle / self.best - 1.0

    def gains_over(self, other: Timing) -> list[float]:
        """How many times longer `other` took, in each turn: each run beside the one next to it.

        What slows the machine for a while slows both; the best runs of each may be of different moments, and
        the more processors a call takes the rarer is the moment at which all of them are left alone.
        """
        return [theirs / ours for ours, theirs in zip(self.turns, other.turns, strict=True)]


def race(*calls: Call, seconds: float = 1.0, clock: Callable[[], float] = time.thread_time) -> list[Timing]:
    """Time `calls` in turns, so that whatever slows the machine meets all of them alike.

    Rounds go on for about `seconds` of the wall's time. The clock counts the calling thread's own processor
    time, which a neighbour cannot lengthen; for work on several threads it must be `time.perf_counter`.
    """
    repeats = [_repeats(call, clock) for call in calls]
    runs: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(runs[0]) < _FEWEST_ROUNDS or time.perf_counter() < end:
        for call, repeat, taken in zip(calls, repeats, runs, strict=True):
            start = clock()
            for _ in range(repeat):
                call()
            taken.append((clock() - start) / repeat)
    return [Timing(min(taken), statistics.median(taken), tuple(taken)) for taken in runs]


def _repeats(call: Call, clock: Callable[[], float]) -> int:
    """Calls in a run, after one that warms up."""
    call()
    start = clock()
    call()
    return max(1, int(_SHORTEST_RUN / max(clock() - start, 1e-9)))
