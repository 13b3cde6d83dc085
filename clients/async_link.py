"""One service, reached over grpc.aio: deadlines, retries, and streams that outlive their connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from dataclasses import replace
from typing import Any, Self, TypeVar

import grpc
from grpc_health.v1 import health_pb2

from skewline.clients.async_conversation import AsyncConversation
from skewline.clients.async_wire import AsyncWire
from skewline.clients.errors import ClientClosed, SkewlineError
from skewline.clients.options import ClientOptions
from skewline.clients.position import Position
from skewline.clients.questions import Ask, Call, Gap, Listing, Subscribe, Update, Watch
from skewline.clients.retrying import Attempts, Persistence

Q = TypeVar("Q")
R = TypeVar("R")
T = TypeVar("T")


class AsyncLink:
    """A wire and how patient to be on it."""

    def __init__(self, wire: AsyncWire, options: ClientOptions) -> None:
        self._wire = wire
        self._options = options

    def within(self, timeout_s: float) -> Self:
        """The same wire with another deadline."""
        return type(self)(self._wire, replace(self._options, timeout_s=timeout_s))

    async def is_serving(self) -> bool:
        """Whether the service says that it serves. Raises SkewlineError when it says nothing."""
        if self._wire.closed:
            raise ClientClosed
        response = await self._unary(self._wire.health.Check, health_pb2.HealthCheckRequest())
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    async def call(self, call: Call[R, T]) -> T:
        """The answer to `call`. Raises SkewlineError."""
        return call.take(await self._unary(self._wire.method(call.rpc), call.request))

    async def listing(self, listing: Listing[R, T]) -> AsyncGenerator[T, None]:
        """What `listing` finds; a page is fetched when it is needed. Raises SkewlineError."""
        request, given = type(listing.request)(), 0
        request.CopyFrom(listing.request)
        while listing.limit is None or given < listing.limit:
            page = await self._unary(self._wire.method(listing.rpc), request)
            for item in listing.take(page):
                if given == listing.limit:
                    return
                given += 1
                yield item
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def watch(self, watch: Watch[R, T]) -> AsyncGenerator[T, None]:
        """What the service tells until it ends the stream. Raises SkewlineError."""
        persistence = Persistence(self._options)
        while True:
            call = self._wire.method(watch.rpc)(watch.request)
            try:
                async for response in call:
                    persistence.worked()
                    yield watch.take(response)
                return
            except grpc.aio.AioRpcError as failed:
                pause = persistence.pause_after(self._wire.error_of(failed, self._options.timeout_s))
            except asyncio.CancelledError:
                if self._wire.closed:
                    raise ClientClosed from None
                raise
            finally:
                call.cancel()
            await asyncio.sleep(pause)

    async def subscribe(self, wanted: Subscribe[T]) -> AsyncGenerator[Update[T] | Gap, None]:
        """Items for ever, over any number of connections. Raises SkewlineError."""
        position = Position(wanted, self._options.credit)
        persistence = Persistence(self._options)
        while True:
            async with self._conversation(wanted.rpc) as conversation:
                conversation.send(position.opening())
                while True:
                    try:
                        response = await conversation.receive()
                    except SkewlineError as error:
                        pause = persistence.pause_after(error)
                        break
                    persistence.worked()
                    if (item := position.received(response)) is not None:
                        yield item
                        if (credit := position.consumed(item)) is not None:
                            conversation.send(credit)
            await asyncio.sleep(pause)

    async def exchange(
        self, ask: Ask[Q, R, T], items: Iterable[Q] | AsyncIterable[Q]
    ) -> AsyncGenerator[T, None]:
        """An answer for each item, in order, on one stream; an unanswered item is asked again on the next.

        Raises SkewlineError.
        """
        conversation: AsyncConversation | None = None
        try:
            async for item in _iterated(items):
                request, attempts = ask.request(item), Attempts(self._options)
                while True:
                    conversation = conversation or self._conversation(ask.rpc)
                    try:
                        conversation.send(request)
                        answer = await conversation.answer(ask.id_of(request), attempts.remaining_s)
                        break
                    except SkewlineError as error:
                        conversation.close()
                        conversation = None
                        await asyncio.sleep(attempts.pause_after(error))
                yield ask.take(answer)
        finally:
            if conversation is not None:
                conversation.close()

    def _conversation(self, rpc: str) -> AsyncConversation:
        return AsyncConversation(self._wire, rpc, self._options.timeout_s)

    async def _unary(self, method: Any, request: Any) -> Any:
        attempts = Attempts(self._options)
        while True:
            try:
                return await method(request, timeout=attempts.remaining_s)
            except grpc.aio.AioRpcError as failed:
                pause = attempts.pause_after(self._wire.error_of(failed, self._options.timeout_s))
            except asyncio.CancelledError:
                if self._wire.closed:
                    raise ClientClosed from None
                raise
            await asyncio.sleep(pause)


async def _iterated(items: Iterable[Q] | AsyncIterable[Q]) -> AsyncIterator[Q]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
