"""The horizontal axis of what happened over a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from skewline.clients.demo import wording

_LARGEST_GAP: Final = 0.5


class Timeline:
    """Places of data times: the times themselves; their numbers where one gap would take most of the axis."""

    def __init__(self, times_ns: Iterable[int]) -> None:
        distinct = sorted(set(times_ns))
        span = distinct[-1] - distinct[0] if distinct else 0
        gap = max((after - before for before, after in pairwise(distinct)), default=0)
        self._numbers = {time_ns: number for number, time_ns in enumerate(distinct, start=1)}
        self._numbered = len(distinct) > 2 and gap > _LARGEST_GAP * span

    def at(self, times_ns: Iterable[int]) -> list[datetime] | list[int]:
        """Where these times are."""
        if self._numbered:
            return [self._numbers[time_ns] for time_ns in times_ns]
        return [wording.moment(time_ns) for time_ns in times_ns]

    @property
    def axis(self) -> dict[str, Any]:
        """The axis, in plotly's words."""
        return (
            {"title": {"text": "data time, in order of the snapshots"}}
            if self._numbered
            else {"type": "date"}
        )
