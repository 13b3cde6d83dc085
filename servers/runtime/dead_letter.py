"""Where messages go that could not be handled, and why."""

from dataclasses import dataclass
from typing import Final

from nats.js import JetStreamContext

from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.publishing import message_headers

REASON: Final = "Skewline-Reason"
SUBJECT: Final = "Skewline-Subject"
STREAM: Final = "Skewline-Stream"
SEQUENCE: Final = "Skewline-Stream-Sequence"
ATTEMPTS: Final = "Skewline-Attempts"
MESSAGE_ID: Final = "Skewline-Message-Id"

_MOST_REASON: Final = 1000


class Poison(Exception):
    """Raised by a handler: this message can never be handled. It goes to `dead.<durable>` with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message given up by the consumer `durable`, with the reason."""

    durable: str
    reason: str
    delivery: Delivery

    @property
    def subject(self) -> str:
        """The subject it is kept under."""
        return f"dead.{self.durable}"

    async def publish(self, jetstream: JetStreamContext) -> None:
        """Store it in the stream DEAD, once however often this is repeated. Raises nats.errors.Error."""
        delivery = self.delivery
        headers = message_headers(
            f"dead:{self.durable}:{delivery.stream}:{delivery.stream_sequence}", delivery.traceparent
        )
        headers[REASON] = " ".join(self.reason.split())[:_MOST_REASON]
        headers[SUBJECT] = delivery.subject
        headers[STREAM] = delivery.stream
        headers[SEQUENCE] = str(delivery.stream_sequence)
        headers[ATTEMPTS] = str(delivery.attempt)
        headers[MESSAGE_ID] = delivery.message_id
        await jetstream.publish(self.subject, delivery.data, headers=headers)
