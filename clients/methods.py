"""Questions as methods: a function that builds a question becomes a method that asks it.

Each service's module writes its questions once and binds them twice, for `AsyncClient` and for `Client`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Generator, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from skewline.clients.async_link import AsyncLink
from skewline.clients.link import Link
from skewline.clients.questions import Ask, Call, Gap, Listing, Subscribe, Update, Watch

P = ParamSpec("P")
Q = TypeVar("Q")
R = TypeVar("R")
T = TypeVar("T")


class AsyncService:
    """One service, for asyncio. Every call raises SkewlineError when it fails."""

    def __init__(self, link: AsyncLink) -> None:
        self._link = link

    def within(self, timeout_s: float) -> Self:
        """The same service with another deadline for each call."""
        return type(self)(self._link.within(timeout_s))

    async def is_serving(self) -> bool:
        """Whether the service says that it serves."""
        return await self._link.is_serving()


class Service:
    """One service, blocking. Every call raises SkewlineError when it fails."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def within(self, timeout_s: float) -> Self:
        """The same service with another deadline for each call."""
        return type(self)(self._link.within(timeout_s))

    def is_serving(self) -> bool:
        """Whether the service says that it serves."""
        return self._link.is_serving()


def async_call(
    build: Callable[P, Call[R, T]],
) -> Callable[Concatenate[AsyncService, P], Coroutine[Any, Any, T]]:
    """A method that asks once."""

    @wraps(build)
    async def method(self: AsyncService, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._link.call(build(*args, **kwargs))

    return method


def call(build: Callable[P, Call[R, T]]) -> Callable[Concatenate[Service, P], T]:
    """A method that asks once."""

    @wraps(build)
    def method(self: Service, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._link.call(build(*args, **kwargs))

    return method


def async_listing(
    build: Callable[P, Listing[R, T]],
) -> Callable[Concatenate[AsyncService, P], AsyncGenerator[T, None]]:
    """A method that iterates over all pages."""

    @wraps(build)
    def method(self: AsyncService, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return self._link.listing(build(*args, **kwargs))

    return method


def listing(
    build: Callable[P, Listing[R, T]],
) -> Callable[Concatenate[Service, P], Generator[T, None, None]]:
    """A method that iterates over all pages."""

    @wraps(build)
    def method(self: Service, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return self._link.listing(build(*args, **kwargs))

    return method


def async_watch(
    build: Callable[P, Watch[R, T]],
) -> Callable[Concatenate[AsyncService, P], AsyncGenerator[T, None]]:
    """A method that iterates over what is told until the end."""

    @wraps(build)
    def method(self: AsyncService, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
        return self._link.watch(build(*args, **kwargs))

    return method


def watch(build: Callable[P, Watch[R, T]]) -> Callable[Concatenate[Service, P], Generator[T, None, None]]:
    """A method that iterates over what is told until the end."""

    @wraps(build)
    def method(self: Service, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return self._link.watch(build(*args, **kwargs))

    return method


def async_subscription(
    build: Callable[P, Subscribe[T]],
) -> Callable[Concatenate[AsyncService, P], AsyncGenerator[Update[T] | Gap, None]]:
    """A method that iterates over live items."""

    @wraps(build)
    def method(
        self: AsyncService, /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncGenerator[Update[T] | Gap, None]:
        return self._link.subscribe(build(*args, **kwargs))

    return method


def subscription(
    build: Callable[P, Subscribe[T]],
) -> Callable[Concatenate[Service, P], Generator[Update[T] | Gap, None, None]]:
    """A method that iterates over live items."""

    @wraps(build)
    def method(self: Service, /, *args: P.args, **kwargs: P.kwargs) -> Generator[Update[T] | Gap, None, None]:
        return self._link.subscribe(build(*args, **kwargs))

    return method


def async_exchange(
    ask: Ask[Q, R, T],
) -> Callable[[AsyncService, Iterable[Q] | AsyncIterable[Q]], AsyncGenerator[T, None]]:
    """A method that takes items and iterates over their answers."""

    def method(self: AsyncService, items: Iterable[Q] | AsyncIterable[Q], /) -> AsyncGenerator[T, None]:
        return self._link.exchange(ask, items)

    method.__doc__ = ask.doc
    return method


def exchange(ask: Ask[Q, R, T]) -> Callable[[Service, Iterable[Q]], Generator[T, None, None]]:
    """A method that takes items and iterates over their answers."""

    def method(self: Service, items: Iterable[Q], /) -> Generator[T, None, None]:
        return self._link.exchange(ask, items)

    method.__doc__ = ask.doc
    return method
