"""The event bus: JetStream as the services use it."""

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import nats.errors
from nats.aio.client import Client
from nats.aio.client import Server as ServerAddress

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.consuming import Consumer, ConsumerPlan, DeliverFrom, Handler
from skewline.servers.runtime.dead_letter import Poison
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.publishing import Published, PublishFailed, PublishWindow, publish_confirmed
from skewline.servers.runtime.settings.url import mask
from skewline.servers.runtime.streams import STREAMS, Stream, ensure_streams, stream_of
from skewline.servers.runtime.tailing import Tail
from skewline.servers.runtime.work_share import WorkShare

__all__ = ["Bus", "BusUnavailable", "Consumer", "Delivery", "Poison", "PublishFailed", "Published", "Tail"]

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT: Final = 2
_CONNECT_PAUSE: Final = 0.1
_PING_INTERVAL: Final = 10


class BusUnavailable(ConnectionError):
    """No NATS with JetStream answers at the URL."""


class Bus:
    """A connection to NATS that comes back by itself, with its consumers, as it does. Use `connect`."""

    def __init__(
        self,
        url: str,
        service: str,
        streams: tuple[Stream, ...],
        replicas: int,
        window: int,
        ack_timeout: float,
    ) -> None:
        self.service = service
        self.url = url
        self._streams = streams
        self._replicas = replicas
        self._ack_timeout = ack_timeout
        self._connection = Client()
        self._jetstream = self._connection.jetstream()
        self._window = PublishWindow(self._connection, size=window, ack_timeout=ack_timeout)
        self._backoff = Backoff(first=0.05, most=2.0)
        self._followers: list[Consumer | Tail] = []
        self._last_error = ""
        self._closing = False
        self.lost = asyncio.Event()
        """Set when the server closed the connection for good, as for credentials that are no longer valid."""

    @classmethod
    async def connect(
        cls,
        url: str,
        service: str,
        *,
        streams: tuple[Stream, ...] = STREAMS,
        replicas: int = 1,
        window: int = 256,
        ack_timeout: float = 5.0,
        connect_timeout: float = 15.0,
        tls: ssl.SSLContext | None = None,
        credentials: Path | None = None,
    ) -> Self:
        """Connect as `service` to `url` (comma-separated for a cluster) and ensure that the streams exist.

        `window` bounds the messages without acknowledgement; one without it for `ack_timeout` seconds has
        failed. `tls` and `credentials` (a NATS .creds file) are for a remote server.
        Raises BusUnavailable when there is no server with JetStream within `connect_timeout` seconds.
        """
        bus = cls(url, service, streams, replicas, window, ack_timeout)
        try:
            await _within(connect_timeout, bus._open(tls, credentials))
        except (TimeoutError, OSError, nats.errors.Error) as error:
            await bus._abandon()
            raise BusUnavailable(
                f"no NATS with JetStream at {mask(url)} within {connect_timeout:g} s "
                f"({str(error) or type(error).__name__}); start one or correct the bus URL"
            ) from error
        except BaseException:
            await bus._abandon()
            raise
        return bus

    @property
    def is_connected(self) -> bool:
        """False while the server is away."""
        return self._connection.is_connected

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, traceparent: str | None = None
    ) -> None:
        """Publish within the window: returns when the message has a place in it, before it is confirmed.

        A message id that the stream saw within its duplicate window is dropped there.
        Raises PublishFailed with all unconfirmed message ids (see PublishWindow); publish those again.
        """
        await self._window.publish(subject, payload, message_id=message_id, traceparent=traceparent)

    async def flush(self) -> None:
        """Return when everything published is stored. Raises PublishFailed."""
        await self._window.flush()

    async def publish_confirmed(
        self, subject: str, payload: bytes, *, message_id: str, traceparent: str | None = None
    ) -> Published:
        """Publish one message and wait until it is stored. Raises PublishFailed."""
        return await publish_confirmed(
            self._jetstream,
            subject,
            payload,
            message_id=message_id,
            traceparent=traceparent,
            ack_timeout=self._ack_timeout,
        )

    async def consume(
        self,
        stream: str | Stream,
        durable: str,
        subjects: str | tuple[str, ...],
        handler: Handler,
        *,
        ack_wait: float = 5.0,
        max_deliver: int = 20,
        batch: int = 64,
        ordered: bool = True,
        deliver_from: DeliverFrom = "all",
        backoff_s: tuple[float, ...] = (0.1, 0.5, 2.0, 10.0, 30.0),
        share: WorkShare | None = None,
    ) -> Consumer:
        """Feed the durable consumer's messages to `handler`; each is acknowledged after the handler returned.

        A handler that raises Poison sends the message to `dead.<durable>`; any other exception brings it back
        after the pauses of `backoff_s` (seconds, jittered, the last repeats), and sends it to
        `dead.<durable>` at attempt `max_deliver`. `ordered`: a message waits until the one before it is done
        with. `deliver_from` matters only when the durable is first made. Consumers with the same `share` take
        turns. The consumer starts at once and stops with the bus or by its own `stop`.
        """
        name = stream if isinstance(stream, str) else stream.name
        plan = ConsumerPlan(
            stream=name,
            durable=durable,
            subjects=_several(subjects),
            ack_wait=ack_wait,
            max_deliver=max_deliver,
            batch=batch,
            ordered=ordered,
            deliver_from=deliver_from,
            backoff_s=backoff_s,
        )
        consumer = Consumer(self._connection, plan, handler, self._ensure_stream, share)
        self._followers.append(consumer)
        return consumer

    async def tail(
        self,
        subjects: str | tuple[str, ...],
        callback: Handler,
        *,
        start: DeliverFrom = "new",
        headers_only: bool = False,
    ) -> Tail:
        """Follow `subjects` (of one stream) without acknowledgement.

        It starts at what is published from now on, at the newest of each subject, or at the oldest kept.
        With `headers_only` deliveries have no data.
        Returns when the server knows of it: whatever is published afterwards reaches `callback`.
        """
        several = _several(subjects)
        held = {stream_of(subject, self._streams).name: None for subject in several}
        if len(held) != 1:
            raise ValueError(
                f"subjects {', '.join(several)} belong to {', '.join(held)}; tail one stream at a time"
            )
        tail = Tail(
            self._connection,
            next(iter(held)),
            several,
            callback,
            start,
            self._ensure_stream,
            headers_only=headers_only,
        )
        self._followers.append(tail)
        await tail.ready()
        return tail

    async def close(self) -> None:
        """Stop consumers and tails, wait for what is published, disconnect. Raises PublishFailed."""
        self._closing = True
        for follower in reversed(self._followers):
            await follower.stop()
        self._followers.clear()
        try:
            await self._window.flush()
        finally:
            await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _open(self, tls: ssl.SSLContext | None, credentials: Path | None) -> None:
        await self._connection.connect(
            servers=[address.strip() for address in self.url.split(",")],
            name=f"skewline-{self.service}",
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
            max_reconnect_attempts=-1,
            connect_timeout=_CONNECT_TIMEOUT,
            reconnect_time_wait=_CONNECT_PAUSE,  # type: ignore[arg-type] # any number of seconds will do
            reconnect_to_server_handler=self._next_server,
            ping_interval=_PING_INTERVAL,
            tls=tls,
            user_credentials=str(credentials) if credentials is not None else None,
        )
        await self._ensure_all_streams()

    async def _abandon(self) -> None:
        self._closing = True
        await self._connection.close()

    async def _ensure_all_streams(self) -> None:
        backoff = Backoff(first=0.05, most=1.0)
        while True:
            try:
                await ensure_streams(self._jetstream, self._streams, replicas=self._replicas)
                return
            except (nats.errors.NoRespondersError, nats.errors.TimeoutError) as error:
                # JetStream answers somewhat later than the server accepts connections.
                _log.info("JetStream is not ready yet: %s", error)
                await asyncio.sleep(backoff.next())

    async def _ensure_stream(self, name: str) -> None:
        await ensure_streams(
            self._jetstream,
            [stream for stream in self._streams if stream.name == name],
            replicas=self._replicas,
        )

    def _next_server(
        self, servers: list[ServerAddress], _info: dict[str, Any]
    ) -> tuple[ServerAddress | None, float]:
        # The round-robin must move on by attempts made, the pool given here is in no useful order.
        return min(servers, key=lambda server: server.reconnects), self._backoff.next()

    async def _on_error(self, error: Exception) -> None:
        said = str(error) or type(error).__name__
        if said != self._last_error:  # an absent server would otherwise fill the log
            self._last_error = said
            _log.warning("%s: NATS: %s", self.service, said)

    async def _on_disconnected(self) -> None:
        if not self._connection.is_closed:
            _log.warning("%s: connection to NATS lost", self.service)

    async def _on_closed(self) -> None:
        if not self._closing:
            _log.error("%s: NATS closed the connection for good: %s", self.service, self._last_error)
            self.lost.set()

    async def _on_reconnected(self) -> None:
        self._backoff.reset()
        self._last_error = ""
        _log.info("%s: connection to NATS restored", self.service)
        for follower in self._followers:
            follower.reconnected()


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    # asyncio.timeout cancels once, and that one can be lost: see `end`.
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        await end(task, again_s=_CONNECT_PAUSE)
    if task.cancelled():
        raise TimeoutError
    task.result()


def _several(subjects: str | tuple[str, ...]) -> tuple[str, ...]:
    return (subjects,) if isinstance(subjects, str) else tuple(subjects)
