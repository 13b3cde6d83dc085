"""Growing pauses between attempts."""

import random
from typing import Final

_SPREAD: Final = 0.25


def jittered(pause: float) -> float:
    """`pause` moved by up to a quarter either way: those who failed together shall not return together."""
    return pause * random.uniform(1 - _SPREAD, 1 + _SPREAD)


class Backoff:
    """Doubling pauses from `first` to `most` seconds, jittered."""

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        pause, self._next = self._next, min(self._most, 2 * self._next)
        return jittered(pause)

    def reset(self) -> None:
        """Start over after a success."""
        self._next = self._first
