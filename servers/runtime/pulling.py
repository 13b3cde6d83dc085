"""A pull consumer's messages as an endless sequence that outlives restarts of the server.

nats-py's own `fetch` neither notices missed heartbeats nor a request that was lost with its server, and then
waits for the whole expiry. Here, as in NATS' own newer clients: one inbox, one request at a time on it, idle
heartbeats watched, and everything set up afresh on any trouble.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from skewline.servers.runtime.backoff import Backoff

_log = logging.getLogger(__name__)

_NANOSECONDS: Final = 1_000_000_000
_IDLE: Final = "100"
_REQUEST_OVER: Final = frozenset({"404", "408"})
_MISSED_HEARTBEATS: Final = 2.5


@dataclass(frozen=True, slots=True)
class PullConsumer:
    """The consumer on the server that messages are pulled from."""

    stream: str
    name: str


class Trouble(Exception):
    """The consumer or the way to it has to be set up again."""


class PullLoop:
    """Pulls from the consumer that `ensure` creates (or finds); calls `ensure` again after any trouble.

    `batch` is the number of messages asked for at once. A lost server or consumer is noticed after 2.5
    `heartbeat` seconds, a reconnect at once when `reconnected` is called. `arrived` sees every message as
    soon as it is here, before its turn.
    """

    def __init__(
        self,
        connection: Client,
        ensure: Callable[[], Awaitable[PullConsumer]],
        *,
        batch: int,
        expires: float = 30.0,
        heartbeat: float = 1.0,
        arrived: Callable[[Msg], None] = lambda _message: None,
    ) -> None:
        self._connection = connection
        self._ensure = ensure
        self._batch = batch
        self._request = json.dumps(
            {
                "batch": batch,
                "expires": int(expires * _NANOSECONDS),
                "idle_heartbeat": int(heartbeat * _NANOSECONDS),
            }
        ).encode()
        self._patience = heartbeat * _MISSED_HEARTBEATS
        self._arrived = arrived
        self._inbox: asyncio.Queue[Msg | None] = asyncio.Queue()

    def reconnected(self) -> None:
        """Tell the loop that requests sent before now are lost."""
        self._inbox.put_nowait(None)

    async def messages(self) -> AsyncGenerator[Msg, None]:
        """The messages in the order of their delivery, for ever. Close the iterator to stop pulling."""
        backoff = Backoff(first=0.05, most=2.0)
        while not self._connection.is_closed:
            subscription: Subscription | None = None
            try:
                consumer = await self._ensure()
                self._inbox = asyncio.Queue()
                prefix = self._connection.new_inbox()
                subscription = await self._connection.subscribe(f"{prefix}.*", cb=self._receive)
                async with aclosing(self._pulled(consumer, prefix)) as pulled:
                    async for message in pulled:
                        backoff.reset()
                        yield message
            except (Trouble, TimeoutError, nats.errors.Error) as error:
                delay = backoff.next()
                _log.warning(
                    "pull consumer is set up again in %.2f s: %s", delay, str(error) or type(error).__name__
                )
                await asyncio.sleep(delay)
            except Exception:  # noqa: BLE001 - a consumer that ended silently would look like an idle one
                _log.exception("pull consumer failed and is set up again")
                await asyncio.sleep(backoff.next())
            finally:
                if subscription is not None:
                    await self._leave(subscription)

    async def _leave(self, subscription: Subscription) -> None:
        """Take in what is under way: delivered to nobody, it would come again only after `ack_wait`."""
        with suppress(nats.errors.Error, TimeoutError):
            if self._connection.is_connected:
                await subscription.drain()  # type: ignore[no-untyped-call] # nats-py leaves it untyped
            else:
                await subscription.unsubscribe()

    async def _receive(self, message: Msg) -> None:
        if _status(message) is None:
            self._arrived(message)
        self._inbox.put_nowait(message)

    async def _pulled(self, consumer: PullConsumer, prefix: str) -> AsyncGenerator[Msg, None]:
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}"
        request = 0
        left = 0
        while True:
            if left == 0:
                request += 1
                left = self._batch
                await self._connection.publish(subject, self._request, reply=f"{prefix}.{request}")
            try:
                async with asyncio.timeout(self._patience):
                    message = await self._inbox.get()
            except TimeoutError:
                raise Trouble("no heartbeat from the server") from None
            if message is None:
                raise Trouble("connection was restored")
            status = _status(message)
            if status is None:
                left -= 1
                yield message
            elif status == _IDLE or message.subject != f"{prefix}.{request}":
                continue
            elif status in _REQUEST_OVER:
                left = 0
            else:
                raise Trouble(f"{status} {(message.headers or {}).get('Description', '')}".strip())


def _status(message: Msg) -> str | None:
    if message.headers is None or message.reply:
        return None
    return message.headers.get("Status")
