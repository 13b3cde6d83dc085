"""One service, with blocking calls: deadlines, retries, and streams that outlive their connections."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any, Self, TypeVar

import grpc
from grpc_health.v1 import health_pb2

from skewline.clients.conversation import Conversation
from skewline.clients.errors import ClientClosed, SkewlineError
from skewline.clients.options import ClientOptions
from skewline.clients.position import Position
from skewline.clients.questions import Ask, Call, Gap, Listing, Subscribe, Update, Watch
from skewline.clients.retrying import Attempts, Persistence
from skewline.clients.wire import Wire

Q = TypeVar("Q")
R = TypeVar("R")
T = TypeVar("T")


class Link:
    """A wire and how patient to be on it."""

    def __init__(self, wire: Wire, options: ClientOptions) -> None:
        self._wire = wire
        self._options = options

    def within(self, timeout_s: float) -> Self:
        """The same wire with another deadline."""
        return type(self)(self._wire, replace(self._options, timeout_s=timeout_s))

    def is_serving(self) -> bool:
        """Whether the service says that it serves. Raises SkewlineError when it says nothing."""
        if self._wire.closed:
            raise ClientClosed
        response = self._unary(self._wire.health.Check, health_pb2.HealthCheckRequest())
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    def call(self, call: Call[R, T]) -> T:
        """The answer to `call`. Raises SkewlineError."""
        return call.take(self._unary(self._wire.method(call.rpc), call.request))

    def listing(self, listing: Listing[R, T]) -> Generator[T, None, None]:
        """What `listing` finds; a page is fetched when it is needed. Raises SkewlineError."""
        request, given = type(listing.request)(), 0
        request.CopyFrom(listing.request)
        while listing.limit is None or given < listing.limit:
            page = self._unary(self._wire.method(listing.rpc), request)
            for item in listing.take(page):
                if given == listing.limit:
                    return
                given += 1
                yield item
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch(self, watch: Watch[R, T]) -> Generator[T, None, None]:
        """What the service tells until it ends the stream. Raises SkewlineError."""
        persistence = Persistence(self._options)
        while True:
            call = self._wire.method(watch.rpc)(watch.request)
            try:
                for response in call:
                    persistence.worked()
                    yield watch.take(response)
                return
            except grpc.RpcError as failed:
                pause = persistence.pause_after(self._wire.error_of(failed, self._options.timeout_s))
            finally:
                call.cancel()
            time.sleep(pause)

    def subscribe(self, wanted: Subscribe[T]) -> Generator[Update[T] | Gap, None, None]:
        """Items for ever, over any number of connections. Raises SkewlineError."""
        position = Position(wanted, self._options.credit)
        persistence = Persistence(self._options)
        while True:
            with self._conversation(wanted.rpc) as conversation:
                conversation.send(position.opening())
                while True:
                    try:
                        response = conversation.receive()
                    except SkewlineError as error:
                        pause = persistence.pause_after(error)
                        break
                    persistence.worked()
                    if (item := position.received(response)) is not None:
                        yield item
                        if (credit := position.consumed(item)) is not None:
                            conversation.send(credit)
            time.sleep(pause)

    def exchange(self, ask: Ask[Q, R, T], items: Iterable[Q]) -> Generator[T, None, None]:
        """An answer for each item, in order, on one stream; an unanswered item is asked again on the next.

        Raises SkewlineError.
        """
        conversation: Conversation | None = None
        try:
            for item in items:
                request, attempts = ask.request(item), Attempts(self._options)
                while True:
                    conversation = conversation or self._conversation(ask.rpc)
                    try:
                        conversation.send(request)
                        answer = conversation.answer(ask.id_of(request), attempts.remaining_s)
                        break
                    except SkewlineError as error:
                        conversation.close()
                        conversation = None
                        time.sleep(attempts.pause_after(error))
                yield ask.take(answer)
        finally:
            if conversation is not None:
                conversation.close()

    def _conversation(self, rpc: str) -> Conversation:
        return Conversation(self._wire, rpc, self._options.timeout_s)

    def _unary(self, method: Any, request: Any) -> Any:
        attempts = Attempts(self._options)
        while True:
            try:
                return method(request, timeout=attempts.remaining_s)
            except grpc.RpcError as failed:
                pause = attempts.pause_after(self._wire.error_of(failed, self._options.timeout_s))
            time.sleep(pause)
