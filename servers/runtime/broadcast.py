"""One publisher, any number of subscribers, none of which slows the publisher or another."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from skewline.servers.runtime.subscriber import Subscriber
from skewline.servers.runtime.subscription import Entry, Since

T = TypeVar("T")


class Broadcast(Generic[T]):
    """Fans published items out to subscribers, each with its own filter, credit and bounded buffer.

    A subscriber that is behind is conflated: beyond `capacity` waiting items, or without credit, the newest
    of a key replaces the one that waits, and a Gap says so. With `lossless` it is disconnected instead
    (ResourceExhausted) and can resume. `since` reads the event log, for those who resume; without it they
    cannot. `current` keeps the newest item of each key for those who begin. Used on one event loop only.
    """

    def __init__(
        self,
        *,
        since: Since[T] | None = None,
        lossless: bool = False,
        current: bool = True,
        capacity: int = 64,
        heartbeat_s: float = 5.0,
    ) -> None:
        self._since = since
        self._lossless = lossless
        self._keep_current = current
        self._capacity = capacity
        self._heartbeat_s = heartbeat_s
        self._current: OrderedDict[str, Entry[T]] = OrderedDict()
        self._newest = 0
        self._subscribers: dict[int, Subscriber[T]] = {}

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscribers)

    @property
    def newest(self) -> int:
        """Newest sequence offered; 0 before the first."""
        return self._newest

    def offer(self, key: str, sequence: int, item: T) -> None:
        """Publish. Sequences rise; one already offered is ignored. Call it after the log has the entry.

        At the start, offer the newest of each key from the tables, in order: they become what is current.
        """
        if sequence <= self._newest:
            return
        self._newest = sequence
        entry = Entry(sequence, key, item)
        if self._keep_current:
            self._current[key] = entry
            self._current.move_to_end(key)
        for subscriber in self._subscribers.values():
            subscriber.offer(entry)

    @contextmanager
    def subscriber(self) -> Iterator[Subscriber[T]]:
        """A new subscriber that has yet to `open`; forgotten at the end of the block."""
        subscriber = Subscriber(
            current=lambda: tuple(self._current.values()),
            newest=lambda: self._newest,
            since=self._since,
            lossless=self._lossless,
            capacity=self._capacity,
            heartbeat_s=self._heartbeat_s,
        )
        self._subscribers[id(subscriber)] = subscriber
        try:
            yield subscriber
        finally:
            del self._subscribers[id(subscriber)]

    def close(self) -> None:
        """End all subscriptions, as at shutdown."""
        for subscriber in self._subscribers.values():
            subscriber.finish()
