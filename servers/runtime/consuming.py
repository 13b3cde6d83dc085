"""Durable consumption: acknowledged after the handler, retried with back-off, given up into DEAD."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from typing import Final, Literal

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from skewline.servers.runtime.backoff import jittered
from skewline.servers.runtime.dead_letter import DeadLetter, Poison
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.faults import is_lasting
from skewline.servers.runtime.pulling import PullConsumer, PullLoop
from skewline.servers.runtime.work_share import WorkShare

_log = logging.getLogger(__name__)

_HEARTBEATS_PER_ACK_WAIT: Final = 3
# Once would be enough for an engine; what merely looks like its fault gets two more chances.
_TRIES_OF_LASTING: Final = 3

Handler = Callable[[Delivery], Awaitable[None]]
DeliverFrom = Literal["all", "new", "last_per_subject"]


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """What to consume and how hard to try."""

    stream: str
    durable: str
    subjects: tuple[str, ...]
    ack_wait: float
    """Seconds after which a message whose consumer died is delivered again."""
    max_deliver: int
    """Deliveries after which a message goes to DEAD; three when what failed cannot pass (`is_lasting`)."""
    batch: int
    ordered: bool
    """A failing message holds back those behind it."""
    deliver_from: DeliverFrom
    backoff_s: tuple[float, ...]
    """Seconds before each further delivery of a message that failed; the last repeats."""

    def pause(self, attempt: int) -> float:
        """Seconds until the delivery after the failed one numbered `attempt`, jittered."""
        return jittered(self.backoff_s[min(attempt, len(self.backoff_s)) - 1])

    def tries(self, error: Exception) -> int:
        """Deliveries that a message failing with `error` gets: what cannot pass must not hold up the rest."""
        return min(self.max_deliver, _TRIES_OF_LASTING) if is_lasting(error) else self.max_deliver

    def config(self) -> ConsumerConfig:
        """The server's view. It never gives up by itself: the client does, with a dead letter."""
        return ConsumerConfig(
            durable_name=self.durable,
            deliver_policy=DeliverPolicy(self.deliver_from),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait,
            max_deliver=-1,
            max_ack_pending=1 if self.ordered else max(self.batch, 1000),
            filter_subjects=list(self.subjects),
        )


@dataclass(frozen=True, slots=True)
class ConsumerCounts:
    """What a consumer did since it was started."""

    handled: int = 0
    retried: int = 0
    dead: int = 0
    pending: int = 0
    """Messages that wait on the server, as of the last delivery."""


class Consumer:
    """Feeds one durable consumer's messages to `handler`, one after another.

    While a handler runs the server hears every third of `ack_wait` that work goes on, so `ack_wait` can be
    short and a killed service's messages are delivered again soon. With a `share`, the process works on one
    message of all consumers that have the same one.
    """

    def __init__(
        self,
        connection: Client,
        plan: ConsumerPlan,
        handler: Handler,
        ensure_stream: Callable[[str], Awaitable[None]],
        share: WorkShare | None = None,
    ) -> None:
        self.plan = plan
        self._share = share
        self._connection = connection
        self._jetstream = connection.jetstream()
        self._handler = handler
        self._ensure_stream = ensure_stream
        self._held: dict[int, Msg] = {}
        self._handling = asyncio.Lock()
        self._stopping = False
        self._handled = self._retried = self._dead = self._pending = 0
        self._pull = PullLoop(connection, self._ensure, batch=plan.batch, arrived=self._hold)
        self._tasks = (
            asyncio.create_task(self._run(), name=f"consume {plan.durable}"),
            asyncio.create_task(self._keep_alive(), name=f"keep alive {plan.durable}"),
        )

    @property
    def counts(self) -> ConsumerCounts:
        """Counters for metrics and health."""
        return ConsumerCounts(self._handled, self._retried, self._dead, self._pending)

    async def caught_up(self) -> bool:
        """Whether everything that the stream holds for this consumer is done with."""
        info = await self._jetstream.consumer_info(self.plan.stream, self.plan.durable)
        return not info.num_pending and not info.num_ack_pending

    async def wait(self) -> None:
        """Until it is stopped. Raises what ended it if that was a fault of its own."""
        with suppress(asyncio.CancelledError):
            await asyncio.shield(self._tasks[0])

    async def stop(self, grace: float = 10.0) -> None:
        """Let the running handler end (cancelled after `grace` seconds) and hand back what waits."""
        if self._stopping:
            return
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._handling.acquire()
        await end(*self._tasks)
        await self._hand_back()

    def reconnected(self) -> None:
        """Tell the consumer that the connection is new."""
        self._pull.reconnected()

    async def _ensure(self) -> PullConsumer:
        await self._hand_back()
        plan = self.plan
        await self._ensure_stream(plan.stream)
        try:
            await self._jetstream.add_consumer(plan.stream, plan.config())
        except nats.js.errors.BadRequestError as refusal:
            existing = await self._jetstream.consumer_info(plan.stream, plan.durable)
            _log.warning(
                "durable %s keeps its configuration %s: %s",
                plan.durable,
                existing.config,
                refusal.description,
            )
        return PullConsumer(plan.stream, plan.durable)

    async def _run(self) -> None:
        async with aclosing(self._pull.messages()) as messages:
            async for message in messages:
                # A message may have come again while it waited here: only its newest delivery counts.
                if self._held.get(message.metadata.sequence.stream) is message:
                    await self._take(message)

    async def _take(self, message: Msg) -> None:
        async with AsyncExitStack() as taken:
            if self._share is not None:
                if self._share.declines(message.metadata.num_delivered):
                    await self._decline(message, self._share)
                    return
                await taken.enter_async_context(self._share.work)
                if self._held.get(message.metadata.sequence.stream) is not message:
                    return
            await taken.enter_async_context(self._handling)
            await self._settle(message)

    async def _decline(self, message: Msg, share: WorkShare) -> None:
        del self._held[message.metadata.sequence.stream]
        with suppress(nats.errors.Error):
            await message.nak()
        await share.idle()

    async def _settle(self, message: Msg) -> None:
        delivery = Delivery.of(message)
        self._pending = delivery.pending
        try:
            await self._answer(message, delivery)
        except nats.errors.Error as error:
            _log.warning("answer for %s was not sent, it comes again: %s", delivery.message_id, error)
        # Not in a finally: a cancelled handler's message stays held, for `stop` to hand back.
        self._held.pop(delivery.stream_sequence, None)

    async def _answer(self, message: Msg, delivery: Delivery) -> None:
        plan = self.plan
        if delivery.attempt > plan.max_deliver:
            await self._bury(message, delivery, f"no answer to {delivery.attempt - 1} deliveries")
            return
        try:
            await self._handler(delivery)
        except Poison as poison:
            await self._bury(message, delivery, poison.reason)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the message is kept
            tries = plan.tries(error)
            if delivery.attempt >= tries:
                _log.exception("%s gives up %s", plan.durable, delivery.message_id)
                await self._bury(message, delivery, f"{type(error).__name__}: {error}")
                return
            self._retried += 1
            pause = plan.pause(delivery.attempt)
            _log.warning(
                "%s failed on %s (attempt %d of %d), again in %.2f s",
                plan.durable, delivery.message_id, delivery.attempt, tries, pause, exc_info=error,
            )  # fmt: skip
            await message.nak(pause)
        else:
            self._handled += 1
            await message.ack()

    async def _bury(self, message: Msg, delivery: Delivery, reason: str) -> None:
        _log.error("%s puts %s into DEAD: %s", self.plan.durable, delivery.message_id, reason)
        try:
            await DeadLetter(self.plan.durable, reason, delivery).publish(self._jetstream)
        except (TimeoutError, nats.errors.Error):
            await message.nak(self.plan.pause(delivery.attempt))
            raise
        self._dead += 1
        await message.term()

    def _hold(self, message: Msg) -> None:
        self._held[message.metadata.sequence.stream] = message

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self.plan.ack_wait / _HEARTBEATS_PER_ACK_WAIT)
            if self._connection.is_connected:
                for message in tuple(self._held.values()):
                    with suppress(nats.errors.Error):
                        await message.in_progress()

    async def _hand_back(self) -> None:
        held, self._held = self._held, {}
        for message in held.values():
            with suppress(nats.errors.Error):
                await message.nak()
