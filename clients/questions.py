"""What a client wants of a service, apart from how it is carried: written once, asked by both clients."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

Q = TypeVar("Q")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[R, T]):
    """One request, one response; `take` picks what the caller wants of it."""

    rpc: str
    request: Message
    take: Callable[[R], T]


@dataclass(frozen=True, slots=True)
class Listing(Generic[R, T]):
    """Everything that a list call finds, page by page, at most `limit` of it.

    `request` has `page_size` and `page_token`, the response `next_page_token`.
    """

    rpc: str
    request: Any
    take: Callable[[R], Sequence[T]]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Watch(Generic[R, T]):
    """One request, responses until the service ends them; asked anew after a broken connection."""

    rpc: str
    request: Message
    take: Callable[[R], T]


@dataclass(frozen=True, slots=True)
class Subscribe(Generic[T]):
    """A subscription that resumes after broken connections.

    `request` is the stream's request type, with a oneof of `subscribe` and `credit`; `contents` are those
    fields of its response's oneof `item` that hold a T.
    """

    rpc: str
    request: type[Any]
    content: type[T] | tuple[type[T], ...]
    contents: tuple[str, ...]
    underlyings: tuple[str, ...] = ()
    resume_after: int = 0


@dataclass(frozen=True, slots=True)
class Ask(Generic[Q, R, T]):
    """The question of an exchange: an item turned into a request, and what to take of its answer.

    The response has the `request_id` that `id_of` finds in the request.
    """

    rpc: str
    doc: str
    request: Callable[[Q], Any]
    take: Callable[[R], T]
    id_of: Callable[[Any], str] = attrgetter("request_id")


@dataclass(frozen=True, slots=True)
class Update(Generic[T]):
    """One item of a subscription."""

    sequence: int
    """To resume after."""
    content: T
    is_snapshot: bool
    """Whether it is what was current when the subscription began, not something newer."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Items that a subscription will not get."""

    sequence: int
    """To resume after."""
    from_sequence: int
    to_sequence: int
    reason: str
    """CONFLATED: the client was behind. EXPIRED: the service no longer has them."""
    skipped: int = 0
    """How many they are, as far as known: those EXPIRED are not counted."""


def fresh_request_id() -> str:
    """A request id that no other request has."""
    return str(uuid.uuid4())


def names(underlyings: Iterable[str]) -> tuple[str, ...]:
    """Underlyings given as an iterable, or as one name."""
    return (underlyings,) if isinstance(underlyings, str) else tuple(underlyings)
