"""Publishing with a window of outstanding acknowledgements instead of one round trip a message."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Final

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import PubAck

MESSAGE_ID_HEADER: Final = "Nats-Msg-Id"
TRACEPARENT_HEADER: Final = "traceparent"


class PublishFailed(Exception):
    """Messages whose storage was not confirmed. Publish them again: duplicates are dropped."""

    def __init__(self, message_ids: tuple[str, ...], reason: str) -> None:
        named = ", ".join(message_ids[:5])
        super().__init__(f"{len(message_ids)} message(s) not confirmed by JetStream ({reason}): {named}")
        self.message_ids = message_ids
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Published:
    """Where a message was stored; `duplicate` when the same message id had been stored before."""

    stream: str
    sequence: int
    duplicate: bool


def message_headers(message_id: str, traceparent: str | None) -> dict[str, str]:
    """The headers every message carries."""
    headers = {MESSAGE_ID_HEADER: message_id}
    if traceparent:
        headers[TRACEPARENT_HEADER] = traceparent
    return headers


class PublishWindow:
    """Up to `size` messages on their way at once.

    A failed acknowledgement closes the window: the next `publish` or `flush` waits for what is still on its
    way, then raises PublishFailed with every message id that was not confirmed, after which the window is
    open again. A `publish` that raises did not send its own message and names it among them.
    """

    def __init__(self, connection: Client, *, size: int = 256, ack_timeout: float = 5.0) -> None:
        self._connection = connection
        # The window is ours: nats-py's own loses a place for good whenever a publish raises.
        self._jetstream = connection.jetstream(publish_async_max_pending=sys.maxsize)
        self._ack_timeout = ack_timeout
        self._room = asyncio.Semaphore(size)
        self._outstanding: dict[asyncio.Future[PubAck], str] = {}
        self._failed: dict[str, BaseException] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def outstanding(self) -> int:
        """Messages sent and not yet acknowledged."""
        return len(self._outstanding)

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, traceparent: str | None = None
    ) -> None:
        """Send; return as soon as the message has a place in the window. Raises PublishFailed."""
        await self._enter(message_id)
        try:
            if not self._connection.is_connected:
                raise nats.errors.ConnectionReconnectingError
            acknowledgement = await self._jetstream.publish_async(
                subject, payload, headers=message_headers(message_id, traceparent)
            )
        except BaseException as error:
            self._room.release()
            if not isinstance(error, nats.errors.Error):
                raise
            self._failed[message_id] = error
            await self.flush()
            return
        self._outstanding[acknowledgement] = message_id
        self._empty.clear()
        # nats-py waits for ever for an acknowledgement that was lost with its server.
        expiry = asyncio.get_running_loop().call_later(self._ack_timeout, _expire, acknowledgement)
        acknowledgement.add_done_callback(lambda settled: self._settle(settled, expiry))

    async def flush(self) -> None:
        """Return when all that was published is confirmed. Raises PublishFailed with what is not."""
        await self._empty.wait()
        if self._failed:
            failed, self._failed = self._failed, {}
            first = next(iter(failed.values()))
            raise PublishFailed(tuple(failed), str(first) or type(first).__name__)

    async def _enter(self, message_id: str) -> None:
        while True:
            await self._room.acquire()
            if not self._failed:
                return
            self._room.release()
            self._failed.setdefault(message_id, RuntimeError("window closed"))
            await self.flush()

    def _settle(self, acknowledgement: asyncio.Future[PubAck], expiry: asyncio.TimerHandle) -> None:
        expiry.cancel()
        message_id = self._outstanding.pop(acknowledgement)
        self._room.release()
        if acknowledgement.cancelled():
            self._failed[message_id] = nats.errors.ConnectionClosedError()
        elif (error := acknowledgement.exception()) is not None:
            self._failed[message_id] = error
        if not self._outstanding:
            self._empty.set()


async def publish_confirmed(
    jetstream: JetStreamContext,
    subject: str,
    payload: bytes,
    *,
    message_id: str,
    traceparent: str | None = None,
    ack_timeout: float = 5.0,
) -> Published:
    """Send one message and wait until it is stored. Raises PublishFailed."""
    try:
        stored = await jetstream.publish(
            subject, payload, timeout=ack_timeout, headers=message_headers(message_id, traceparent)
        )
    except (TimeoutError, nats.errors.Error) as error:
        raise PublishFailed((message_id,), str(error) or type(error).__name__) from error
    return Published(stored.stream, stored.seq, bool(stored.duplicate))


def _expire(acknowledgement: asyncio.Future[PubAck]) -> None:
    if not acknowledgement.done():
        acknowledgement.set_exception(nats.js.errors.Error("no acknowledgement in time"))
