"""What all feeds of one login share: the ids of its clients, and its market data lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LineBudget:
    """The lines that an account may have open at once, shared evenly by the feeds that are connected."""

    def __init__(self, lines: int) -> None:
        self._lines = self._limit = lines
        self._open: dict[str, int] = {}

    @contextmanager
    def share(self, feed: str) -> Iterator[LineShare]:
        """The share of `feed`, as long as it is connected."""
        self._open[feed] = 0
        # What was too many may have been so for a moment.
        self._limit = self._lines
        try:
            yield LineShare(self, feed)
        finally:
            del self._open[feed]

    def most(self) -> int:
        """Lines that each feed may have."""
        return max(1, self._limit // max(1, len(self._open)))

    def take(self, feed: str) -> bool:
        """Take a line, if there is one for `feed`."""
        if self._open[feed] >= self.most() or sum(self._open.values()) >= self._limit:
            return False
        self._open[feed] += 1
        return True

    def give_back(self, feed: str) -> None:
        """Return one."""
        self._open[feed] -= 1

    def refused(self) -> int:
        """The gateway would not open another one: it has fewer than it was said to. Returns how many."""
        self._limit = max(1, min(self._limit, sum(self._open.values())) - 1)
        return self._limit


class LineShare:
    """The lines of one feed."""

    def __init__(self, budget: LineBudget, feed: str) -> None:
        self._budget = budget
        self._feed = feed

    @property
    def most(self) -> int:
        """Lines that it may have; fewer when another feed connects."""
        return self._budget.most()

    def take(self) -> bool:
        """Take a line, if there is one."""
        return self._budget.take(self._feed)

    def give_back(self) -> None:
        """Return one."""
        self._budget.give_back(self._feed)

    def refused(self) -> int:
        """The gateway has fewer lines than it was said to: lower what all feeds may have, and say to what."""
        return self._budget.refused()


class ClientIds:
    """Ids of API clients: each connection of a gateway needs one of its own."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._taken: set[int] = set()

    @contextmanager
    def one(self) -> Iterator[int]:
        """The lowest that is free, as long as it is needed."""
        identity = self._first
        while identity in self._taken:
            identity += 1
        self._taken.add(identity)
        try:
            yield identity
        finally:
            self._taken.remove(identity)


class Account:
    """What all feeds of one login share."""

    def __init__(self, *, lines: int, client_id: int) -> None:
        self.lines = LineBudget(lines)
        self.client_ids = ClientIds(client_id)
