"""What a subscriber asks for and what it gets; the services turn these into their own messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")

GapReason: TypeAlias = Literal["CONFLATED", "EXPIRED"]


@dataclass(frozen=True, slots=True)
class Terms:
    """Opens a subscription, or replaces it on the same stream."""

    keys: frozenset[str] = frozenset()
    """Keys wanted, such as underlyings; empty means all."""
    resume_after: int = 0
    """Go on behind this sequence from the event log; 0 starts with what is current."""
    credit: int | None = None
    """Items the client is ready to take; None means no limit."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Adds to the credit that is left."""

    updates: int


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One published item with the sequence it has in the service's event log."""

    sequence: int
    key: str
    item: T


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """What was current for `key` when the subscription began."""

    sequence: int
    key: str
    item: T


@dataclass(frozen=True, slots=True)
class Update(Generic[T]):
    """Something newer."""

    sequence: int
    key: str
    item: T


@dataclass(frozen=True, slots=True)
class Gap:
    """Between these sequences (inclusive) some that the subscriber wanted were left out."""

    from_sequence: int
    to_sequence: int
    reason: GapReason
    """CONFLATED: the subscriber was behind. EXPIRED: the event log no longer has them."""
    sequence: int
    """To resume after: the last item before the gap was noticed."""
    skipped: int = 0
    """Updates left out, as far as known: those EXPIRED are not counted."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing was sent for a while."""

    newest: int
    """Newest sequence of the publisher."""
    sequence: int
    """To resume after: the last item sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to a command on the same stream; needs no credit."""

    value: object
    sequence: int = 0
    """To resume after; filled in when it is sent."""


Item: TypeAlias = Snapshot[T] | Update[T] | Gap | Heartbeat | Reply


@dataclass(frozen=True, slots=True)
class History(Generic[T]):
    """A page of the event log."""

    entries: Sequence[Entry[T]]
    """The oldest entries behind the sequence asked for, in order; empty when there are none."""
    oldest: int
    """Oldest sequence that the log still has."""
    newest: int
    """Newest sequence that the log had when it was read."""


Since: TypeAlias = Callable[[int], Awaitable[History[T]]]
