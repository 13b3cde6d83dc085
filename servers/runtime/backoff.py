"""Growing pauses between attempts."""

import random as machine
from typing import Final

_SPREAD: Final = 0.25


def jittered(pause: float, random: machine.Random | None = None) -> float:
    """`pause` moved by up to a quarter either way: those who failed together shall not return together."""
    return pause * (random or machine).uniform(1 - _SPREAD, 1 + _SPREAD)


class Backoff:
    """Doubling pauses from `first` to `most` seconds, jittered by `random`, or by the machine's own."""

    def __init__(self, *, first: float, most: float, random: machine.Random | None = None) -> None:
        self._first = first
        self._most = most
        self._random = random
        self._next = first

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        pause, self._next = self._next, min(self._most, 2 * self._next)
        return jittered(pause, self._random)

    def reset(self) -> None:
        """Start over after a success."""
        self._next = self._first
