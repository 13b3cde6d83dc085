"""One row of the table: what was measured, beside what, how exact it was, and what it should be."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stopwatch import Call, race

from skewline.cyext import isa

#: What a group's measuring function yields, in the order of the table.
Rows = Iterator["Row"]


class Unit(enum.StrEnum):
    """What `ours`, `floor` and `goal` count; less is better but for gains and rates."""

    SECONDS = "s"
    STARTS = "starts"
    GAIN = "×"
    RATE = "/s"


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else's way to do the work: how long it takes (a unit of work), or why there is none."""

    name: str
    call: Call | None = None
    units: int = 1


NO_PEER = Peer("–")


@dataclass(frozen=True, slots=True)
class Row:
    """Times are in seconds a unit of `work`; `reason` says why there is no number.

    `exact` is whether the accuracy that the floor asks for was met: without it no time meets anything.
    """

    work: str
    ours: float | None = None
    accuracy: str = ""
    exact: bool = True
    peer: str = "–"
    peer_time: float | None = None
    floor: float | None = None
    goal: float | None = None
    threads: int = 1
    unit: Unit = Unit.SECONDS
    spread: float = 0.0
    reason: str = ""
    isa: str = isa()

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer."""
        if self.ours is None or self.peer_time is None or self.unit is not Unit.SECONDS:
            return None
        return self.peer_time / self.ours

    @property
    def verdict(self) -> str:
        """What of floor and goal is met: "goal", "floor" or "missed"; "" where neither is set."""
        if self.floor is None or self.ours is None:
            return ""
        if not self.exact:
            return "missed"
        sign = -1.0 if self.unit in (Unit.GAIN, Unit.RATE) else 1.0
        if self.goal is not None and sign * self.ours <= sign * self.goal:
            return "goal"
        return "floor" if sign * self.ours <= sign * self.floor else "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """Floor and goal of a row, in its unit."""

    floor: float | None = None
    goal: float | None = None


NO_TARGET = Target()


def timed(
    work: str,
    call: Call,
    units: int,
    accuracy: str,
    *,
    peer: Peer = NO_PEER,
    target: Target = NO_TARGET,
    exact: bool = True,
    seconds: float = 1.0,
) -> Row:
    """The row of `call`, which does `units` of the work, raced against the peer, each on one thread."""
    return timed_beside([peer], work, call, units, accuracy, target=target, exact=exact, seconds=seconds)[0]


def timed_beside(
    peers: Sequence[Peer],
    work: str,
    call: Call,
    units: int,
    accuracy: str,
    *,
    target: Target = NO_TARGET,
    exact: bool = True,
    seconds: float = 1.0,
) -> list[Row]:
    """One row a peer, all raced together."""
    there = [peer for peer in peers if peer.call is not None]
    ours, *timings = race(call, *(peer.call for peer in there if peer.call), seconds=seconds)
    theirs = {id(peer): timing for peer, timing in zip(there, timings, strict=True)}
    found = []
    for peer in peers:
        their = theirs.get(id(peer))
        row = Row(
            work=work,
            ours=ours.best / units,
            accuracy=accuracy,
            exact=exact,
            peer=peer.name,
            peer_time=None if their is None else their.best / peer.units,
            floor=target.floor,
            goal=target.goal,
            spread=max(ours.spread, 0.0 if their is None else their.spread),
        )
        found.append(row)
    return found
