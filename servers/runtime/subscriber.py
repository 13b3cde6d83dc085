"""One subscriber's buffer, credit and place in the sequence."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar

from skewline.servers.runtime.errors import FieldViolation, InvalidArgument, ResourceExhausted
from skewline.servers.runtime.subscription import (
    Entry,
    Gap,
    GapReason,
    Heartbeat,
    Item,
    Reply,
    Since,
    Snapshot,
    Terms,
    Update,
)

T = TypeVar("T")

_MOST_REPLIES: Final = 64


class Subscriber(Generic[T]):
    """Made by `Broadcast.subscriber`: `open` it, iterate `items` in one task, steer it from any."""

    def __init__(
        self,
        *,
        current: Callable[[], Sequence[Entry[T]]],
        newest: Callable[[], int],
        since: Since[T] | None,
        lossless: bool,
        capacity: int,
        heartbeat_s: float,
    ) -> None:
        self._current = current
        self._newest = newest
        self._since = since
        self._lossless = lossless
        self._capacity = capacity
        self._heartbeat_s = heartbeat_s
        self._terms: Terms | None = None
        self._credit: int | None = 0
        self._waiting: OrderedDict[int, Snapshot[T] | Update[T]] = OrderedDict()
        self._waiting_of_key: dict[str, int] = {}
        self._room = capacity
        self._replies: deque[Reply] = deque()
        self._reply_room = asyncio.Semaphore(_MOST_REPLIES)
        self._gap: Gap | None = None
        self._replaying = False
        self._sent = 0
        """To resume after."""
        self._seen = 0
        """All up to here is sent, waiting, or told as a gap."""
        self._opened = 0
        self._fault: Exception | None = None
        self._finished = False
        self._wake = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is a subscription yet."""
        return self._terms is not None

    def open(self, terms: Terms) -> None:
        """Begin, or begin anew on other terms; what waits under the old ones is dropped."""
        self._terms = terms
        self._credit = terms.credit
        self._waiting.clear()
        self._waiting_of_key.clear()
        self._gap = None
        self._opened += 1
        self._replaying = terms.resume_after > 0
        if self._replaying:
            self._sent = self._seen = terms.resume_after
            if self._since is None:
                self.fail(_no_resume("is not possible on this stream, send 0"))
        else:
            self._sent, self._seen = 0, self._newest()
            for entry in self._current():
                if self._wants(entry.key):
                    self._put(Snapshot(entry.sequence, entry.key, entry.item))
        self._room = self._capacity + len(self._waiting)
        self._wake.set()

    def grant(self, updates: int) -> None:
        """Let `updates` more items through."""
        if self._credit is not None:
            self._credit += updates
            self._wake.set()

    def offer(self, entry: Entry[T]) -> None:
        """Take a live item; never blocks, keeps bounded memory."""
        if self._terms is None or self._replaying or entry.sequence <= self._seen:
            return
        self._seen = entry.sequence
        if not self._wants(entry.key):
            return
        full = len(self._waiting) >= self._room
        if self._lossless and full:
            self.fail(_too_slow(self._room, self._sent))
            return
        if not self._lossless and (full or self._credit == 0):
            self._conflate(entry.key)
        self._put(Update(entry.sequence, entry.key, entry.item))
        self._wake.set()

    async def reply(self, reply: Reply) -> None:
        """Send an answer to a command before anything that waits; holds up a client that reads no answers."""
        await self._reply_room.acquire()
        self._replies.append(reply)
        self._wake.set()

    def fail(self, error: Exception) -> None:
        """End `items` with `error`."""
        self._fault = self._fault or error
        self._wake.set()

    def finish(self) -> None:
        """End `items` without an error."""
        self._finished = True
        self._wake.set()

    async def items(self) -> AsyncGenerator[Item[T], None]:
        """What to send, in order of sequence, for ever.

        Raises InvalidArgument when it cannot resume there, ResourceExhausted when a lossless subscriber is
        too slow.
        """
        while True:
            if self._replies:
                self._reply_room.release()
                yield replace(self._replies.popleft(), sequence=self._sent)
            elif self._fault is not None:
                raise self._fault
            elif self._finished:
                return
            elif self._gap is not None and not self._waiting:
                yield self._take_gap(self._gap)
            elif self._replaying and not self._waiting:
                await self._read_log()
            elif self._waiting and self._credit != 0:
                yield self._next()
            elif not await self._woken():
                if not self._replaying and not self._waiting:
                    self._sent = self._seen
                yield Heartbeat(self._newest(), self._sent)

    def _next(self) -> Item[T]:
        sequence = next(iter(self._waiting))
        if self._gap is not None and self._gap.from_sequence < sequence:
            return self._take_gap(self._gap)
        item = self._waiting.pop(sequence)
        if self._waiting_of_key.get(item.key) == sequence:
            del self._waiting_of_key[item.key]
        if self._credit is not None:
            self._credit -= 1
        self._sent = sequence
        return item

    def _conflate(self, key: str) -> None:
        older = self._waiting_of_key.get(key)
        # A snapshot only says what is current; replaced by what is newer, nothing was missed.
        if older is not None and isinstance(self._waiting.pop(older), Update):
            self._skip(older, older, "CONFLATED", 1)

    def _take_gap(self, gap: Gap) -> Gap:
        self._gap = None
        return replace(gap, sequence=self._sent)

    async def _read_log(self) -> None:
        assert self._since is not None
        opened = self._opened
        page = await self._since(self._seen)
        if self._opened != opened:
            return  # opened anew meanwhile
        if self._seen > page.newest:
            raise _no_resume(f"is ahead of the newest sequence {page.newest}, send that or 0")
        if page.oldest > self._seen + 1:
            self._skip(self._seen + 1, page.oldest - 1, "EXPIRED", 0)
        for entry in page.entries:
            self._seen = entry.sequence
            if self._wants(entry.key):
                self._put(Update(entry.sequence, entry.key, entry.item))
        if not page.entries and self._newest() <= page.newest:
            # Nothing was published since the log was read: from here on live items join without a seam.
            self._seen = page.newest
            self._replaying = False

    async def _woken(self) -> bool:
        self._wake.clear()
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _wants(self, key: str) -> bool:
        assert self._terms is not None
        return not self._terms.keys or key in self._terms.keys

    def _put(self, item: Snapshot[T] | Update[T]) -> None:
        self._waiting[item.sequence] = item
        self._waiting_of_key[item.key] = item.sequence

    def _skip(self, first: int, last: int, reason: GapReason, updates: int) -> None:
        if self._gap is not None:
            first, last = min(first, self._gap.from_sequence), max(last, self._gap.to_sequence)
            updates += self._gap.skipped
        self._gap = Gap(first, last, reason, self._sent, updates)


def _no_resume(why: str) -> InvalidArgument:
    return InvalidArgument([FieldViolation("subscribe.resume_after", why)])


def _too_slow(capacity: int, sent: int) -> ResourceExhausted:
    return ResourceExhausted(
        "subscription", f"{capacity} items wait unread; read faster, and resume after sequence {sent}"
    )
