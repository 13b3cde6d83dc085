"""A client's side of a subscription stream: its commands steer a subscriber while items flow back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, TypeVar

from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.subscriber import Subscriber
from skewline.servers.runtime.subscription import Grant, Item, Reply, Terms
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2

# Of the event log's 64-bit sequence numbers.
_NEWEST: Final = 2**63 - 1

R = TypeVar("R")
T = TypeVar("T")


def terms_of(subscription: common_pb2.Subscription) -> Terms:
    """The terms that a client's Subscription states. Raises InvalidArgument."""
    validation = Validation().within("subscribe")
    named = all(subscription.underlyings)
    validation.check(named, "underlyings", "has an empty name; leave the list empty for all")
    fix = f"must be a sequence that this stream gave, or 0; not {subscription.resume_after}"
    validation.check(subscription.resume_after <= _NEWEST, "resume_after", fix)
    validation.raise_if_any()
    return Terms(
        keys=frozenset(subscription.underlyings),
        resume_after=subscription.resume_after,
        credit=subscription.credit or None,
    )


async def converse(
    hub: Broadcast[T],
    requests: AsyncIterator[R],
    command: Callable[[R], Awaitable[Terms | Grant | Reply]],
    *,
    draining: asyncio.Event | None = None,
) -> AsyncGenerator[Item[T], None]:
    """The items for one bidirectional stream, steered by its requests; the body of a streaming handler.

    `command` tells what a request means: Terms open or replace the subscription, a Grant adds credit, a
    Reply is sent back. Requests are handled one after another; an error that `command` raises ends the
    stream. A client that ends its side without a subscription ends the stream; with one it goes on. The
    stream ends when `draining` is set.
    """
    with hub.subscriber() as subscriber:
        tasks = [asyncio.create_task(_listen(subscriber, requests, command))]
        if draining is not None:
            tasks.append(asyncio.create_task(_finish_when(draining, subscriber)))
        try:
            async with aclosing(subscriber.items()) as items:
                async for item in items:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(
    subscriber: Subscriber[T],
    requests: AsyncIterator[R],
    command: Callable[[R], Awaitable[Terms | Grant | Reply]],
) -> None:
    try:
        async for request in requests:
            match await command(request):
                case Terms() as terms:
                    subscriber.open(terms)
                case Grant(updates):
                    subscriber.grant(updates)
                case Reply() as reply:
                    await subscriber.reply(reply)
        if not subscriber.is_open:
            subscriber.finish()
    except Exception as error:  # noqa: BLE001 - it is raised where the stream's items are taken
        subscriber.fail(error)


async def _finish_when(draining: asyncio.Event, subscriber: Subscriber[T]) -> None:
    await draining.wait()
    subscriber.finish()
