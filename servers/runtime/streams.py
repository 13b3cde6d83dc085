"""The JetStream streams: which subjects each holds and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, SubjectTransform

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_MEGABYTE: Final = 1024 * 1024
_NAME_IN_USE: Final = 10058
_CHAIN: Final = "market.chain"

CHAIN_PARTITIONS: Final = 16
"""Parts of the chains, by underlying: as many can be worked on at once. A change files later chains anew."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream's subjects and retention; the oldest messages go when any limit is reached."""

    name: str
    subjects: tuple[str, ...]
    max_age: float
    """Seconds."""
    max_bytes: int
    max_messages: int
    duplicate_window: float = 2 * _HOUR
    """Seconds within which a second message with the same Nats-Msg-Id is dropped."""
    filed: tuple[str, str] | None = None
    """Subjects that are stored under others: what they match, and what they become."""
    newest_only: bool = False
    """Whether of each subject only the newest message is kept."""

    def config(self, replicas: int = 1) -> StreamConfig:
        """The server's view of this stream."""
        return StreamConfig(
            name=self.name,
            subjects=list(self.subjects),
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=self.max_age,
            max_bytes=self.max_bytes,
            max_msgs=self.max_messages,
            max_msgs_per_subject=1 if self.newest_only else -1,
            duplicate_window=self.duplicate_window,
            num_replicas=replicas,
            subject_transform=SubjectTransform(*self.filed) if self.filed is not None else None,
        )


# The server files each chain under the part that its underlying's name falls into, so that a consumer can
# take one part in order while others are taken elsewhere.
MARKET: Final = Stream(
    "MARKET",
    ("market.>",),
    3 * _DAY,
    4096 * _MEGABYTE,
    2_000_000,
    filed=(f"{_CHAIN}.*", f"{_CHAIN}.{{{{partition({CHAIN_PARTITIONS},1)}}}}.{{{{wildcard(1)}}}}"),
)
# Apart from MARKET: several books a second would soon push chains out of it. An old book is of no use.
BOOK: Final = Stream("BOOK", ("book.>",), _DAY, 256 * _MEGABYTE, 100_000, newest_only=True)
TRADE: Final = Stream("TRADE", ("trade.>",), 3 * _DAY, 1024 * _MEGABYTE, 2_000_000)
SURFACE: Final = Stream("SURFACE", ("surface.>",), 7 * _DAY, 2048 * _MEGABYTE, 2_000_000)
SIGNAL: Final = Stream("SIGNAL", ("signal.>",), 14 * _DAY, 1024 * _MEGABYTE, 2_000_000)
ORDER: Final = Stream("ORDER", ("order.>",), 30 * _DAY, 2048 * _MEGABYTE, 5_000_000)
RISK: Final = Stream("RISK", ("risk.>",), 30 * _DAY, 1024 * _MEGABYTE, 2_000_000)
ALERT: Final = Stream("ALERT", ("alert.>",), 30 * _DAY, 256 * _MEGABYTE, 500_000)
DEAD: Final = Stream("DEAD", ("dead.>",), 30 * _DAY, 1024 * _MEGABYTE, 500_000)

STREAMS: Final[tuple[Stream, ...]] = (MARKET, BOOK, TRADE, SURFACE, SIGNAL, ORDER, RISK, ALERT, DEAD)


def chain_subjects(partition: int) -> tuple[str, ...]:
    """The subjects of one part of the chains, as the stream MARKET files them."""
    # What was stored before there were parts goes with the first.
    return (f"{_CHAIN}.{partition}.*", *((f"{_CHAIN}.*",) if partition == 0 else ()))


def stream_of(subject: str, streams: Iterable[Stream] = STREAMS) -> Stream:
    """The stream that holds `subject` (may end in wildcards). Raises ValueError when none does."""
    root = subject.split(".", 1)[0]
    for stream in streams:
        if any(held.split(".", 1)[0] == root for held in stream.subjects):
            return stream
    known = ", ".join(held for stream in streams for held in stream.subjects)
    raise ValueError(f"subject {subject!r} belongs to no stream; use one of {known}")


async def ensure_streams(
    jetstream: JetStreamContext, streams: Iterable[Stream] = STREAMS, *, replicas: int = 1
) -> None:
    """Create the streams that are missing, update those that differ. Idempotent, safe in parallel."""
    for stream in streams:
        config = stream.config(replicas)
        try:
            await jetstream.add_stream(config)
        except nats.js.errors.BadRequestError as refusal:
            if refusal.err_code != _NAME_IN_USE:
                raise
            await jetstream.update_stream(config)
