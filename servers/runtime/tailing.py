"""Following subjects without acknowledgement, for caches."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from skewline.servers.runtime.consuming import DeliverFrom, Handler
from skewline.servers.runtime.dead_letter import Poison
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.pulling import PullConsumer, PullLoop

_log = logging.getLogger(__name__)

_BATCH = 256
_INACTIVE = 60.0


class Tail:
    """Calls `callback` with each message of `subjects` in order; nothing is acknowledged.

    After trouble it goes on behind the last message it saw. A callback's error is logged and the next comes.
    """

    def __init__(
        self,
        connection: Client,
        stream: str,
        subjects: tuple[str, ...],
        callback: Handler,
        start: DeliverFrom,
        ensure_stream: Callable[[str], Awaitable[None]],
        *,
        headers_only: bool = False,
    ) -> None:
        self._jetstream = connection.jetstream()
        self._stream = stream
        self._subjects = subjects
        self._callback = callback
        self._start = start
        self._headers_only = headers_only
        self._ensure_stream = ensure_stream
        self._last: int | None = None
        self._stream_created: datetime | None = None
        self._ready = asyncio.Event()
        self._pull = PullLoop(connection, self._ensure, batch=_BATCH)
        self._task = asyncio.create_task(self._run(), name=f"tail {','.join(subjects)}")

    async def ready(self) -> None:
        """Until the server knows of this tail: what is published from now on arrives."""
        await self._ready.wait()

    async def stop(self) -> None:
        """Stop following."""
        await end(self._task)

    def reconnected(self) -> None:
        """Tell the tail that the connection is new."""
        self._pull.reconnected()

    async def _ensure(self) -> PullConsumer:
        await self._ensure_stream(self._stream)
        stream = await self._jetstream.stream_info(self._stream)
        if self._last is not None and stream.created != self._stream_created:
            self._last = 0  # the stream was deleted and made anew
        self._stream_created = stream.created
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy(self._start),
            ack_policy=AckPolicy.NONE,
            filter_subjects=list(self._subjects),
            inactive_threshold=_INACTIVE,
            mem_storage=True,
            headers_only=self._headers_only,
        )
        if self._last is None and self._start == "new":
            # Fixed now: nothing is missed if the consumer has to be made again before its first message.
            self._last = stream.state.last_seq
        if self._last is not None:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self._last + 1
        info = await self._jetstream.add_consumer(self._stream, config)
        self._ready.set()
        return PullConsumer(self._stream, info.name)

    async def _run(self) -> None:
        async with aclosing(self._pull.messages()) as messages:
            async for message in messages:
                delivery = Delivery.of(message)
                if self._last is not None and delivery.stream_sequence <= self._last:
                    continue
                self._last = delivery.stream_sequence
                try:
                    await self._callback(delivery)
                except Poison as poison:
                    _log.warning("skipped %s %s: %s", delivery.subject, delivery.message_id, poison.reason)
                except Exception:  # noqa: BLE001 - a cache must not go blind over one message
                    _log.exception("callback failed on %s %s", delivery.subject, delivery.message_id)
