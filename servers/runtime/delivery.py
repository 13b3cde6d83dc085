"""A message as a handler gets it."""

from dataclasses import dataclass
from typing import Self

from nats.aio.msg import Msg

from skewline.servers.runtime.publishing import MESSAGE_ID_HEADER, TRACEPARENT_HEADER


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a stored message."""

    subject: str
    data: bytes
    message_id: str
    """Its Nats-Msg-Id; empty when it was published without one."""
    traceparent: str | None
    stream: str
    stream_sequence: int
    attempt: int
    """1 for the first delivery to this consumer."""
    pending: int
    """Messages of this consumer that come after this one."""

    @classmethod
    def of(cls, message: Msg) -> Self:
        """From a JetStream message."""
        headers = message.headers or {}
        metadata = message.metadata
        return cls(
            subject=message.subject,
            data=message.data,
            message_id=headers.get(MESSAGE_ID_HEADER, ""),
            traceparent=headers.get(TRACEPARENT_HEADER),
            stream=metadata.stream,
            stream_sequence=metadata.sequence.stream,
            attempt=metadata.num_delivered,
            pending=metadata.num_pending,
        )
