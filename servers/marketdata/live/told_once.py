"""What a venue shows again and again, told once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from skewline.servers.marketdata.live.source import Missed

_SHOWN: Final = 3


class ToldOnce:
    """Of what cannot be read in each answer, that which the answer before did not have.

    A contract of another size stays listed for months, and is no news each minute.
    """

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def missed(self, unreadable: Sequence[str]) -> list[Missed]:
        """One notice of what is new among `unreadable`, or none."""
        new = [each for each in dict.fromkeys(unreadable) if each not in self._told]
        self._told = frozenset(unreadable)
        if not new:
            return []
        few = "; ".join(new[:_SHOWN])
        return [Missed("UNREADABLE", f"{len(new)} contracts cannot be read: {few}")]
