"""What MarketData did not let through: made into entries, counted, and shown."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata.engine import ChainOutcome
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.processor import Processor
from skewline.storage.errors import StorageError
from skewline.storage.marketdata import quarantine
from skewline.storage.marketdata.quarantine import Held
from skewline.v1 import chain_pb2, quarantine_pb2

_log = logging.getLogger(__name__)

SNAPSHOT: Final = quarantine_pb2.QUARANTINE_KIND_SNAPSHOT
CONTRACTS: Final = quarantine_pb2.QUARANTINE_KIND_CONTRACTS
MESSAGE: Final = quarantine_pb2.QUARANTINE_KIND_MESSAGE
MOST_BYTES: Final = 1 << 20
_LONGEST: Final = 256
_LONGEST_DETAIL: Final = 2000


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that was answered with an error: `chain` is what could be read of it."""

    reason: str
    detail: str
    received_ns: int
    raw: bytes
    chain: chain_pb2.OptionChain | None = None


def held_of(outcome: ChainOutcome, sent: chain_pb2.OptionChain, received_ns: int) -> list[Held]:
    """The entries for a chain, as it was `sent`: itself if it was rejected, else its contracts by reason."""
    summary = outcome.summary

    def entry(
        kind: quarantine_pb2.QuarantineKind.ValueType, reason: str, contracts: int, detail: str = ""
    ) -> quarantine_pb2.QuarantineEntry:
        return quarantine_pb2.QuarantineEntry(
            entry_id=derive_id("quarantine", summary.snapshot_id, reason),
            kind=kind,
            reason=reason,
            detail=detail,
            underlying=summary.underlying,
            snapshot_id=summary.snapshot_id,
            time_ns=summary.time_ns,
            received_ns=received_ns,
            source=summary.source,
            provenance=summary.provenance,
            contracts=contracts,
        )

    if outcome.chain is None:
        return [Held(entry(SNAPSHOT, summary.reason, len(sent.strike), summary.detail), None)]
    return [
        Held(
            entry(CONTRACTS, aside.reason, len(aside.contracts.strike)),
            aside.contracts.SerializeToString(deterministic=True),
        )
        for aside in outcome.aside
    ]


class Quarantine:
    """Holds messages that are no chains, and counts all that goes; chains are held by the intake."""

    def __init__(self, processor: Processor, metrics: Metrics, keep_messages: int) -> None:
        self._processor = processor
        self._metrics = metrics
        self._keep_messages = keep_messages

    def count(self, entries: Sequence[quarantine_pb2.QuarantineEntry]) -> None:
        """Count what was stored."""
        for entry in entries:
            kind = quarantine_pb2.QuarantineKind.Name(entry.kind).removeprefix("QUARANTINE_KIND_").lower()
            number = entry.contracts if entry.kind == CONTRACTS else 1
            self._metrics.quarantined(kind, entry.reason, number)

    async def hold(self, refused: RefusedMessage) -> None:
        """Store a message that is refused. While the database is away it is only counted and logged."""
        held = _message(refused)
        self.count([held.entry])

        def change(connection: Connection) -> None:
            quarantine.add_message(connection, held, self._keep_messages)

        try:
            await self._processor.write(change)
        except StorageError:
            _log.exception("a refused message of %d bytes is not in the quarantine", len(refused.raw))


def _message(refused: RefusedMessage) -> Held:
    chain = refused.chain or chain_pb2.OptionChain()
    detail = refused.detail[:_LONGEST_DETAIL]
    if len(refused.raw) > MOST_BYTES:
        detail = f"the first {MOST_BYTES} of {len(refused.raw)} bytes; {detail}"
    digest = hashlib.sha256(refused.raw).hexdigest()
    entry = quarantine_pb2.QuarantineEntry(
        entry_id=derive_id("quarantined-message", refused.reason, digest),
        kind=MESSAGE,
        reason=refused.reason,
        detail=detail.replace("\0", "�"),
        underlying=_shown(chain.underlying),
        time_ns=refused.received_ns,
        received_ns=refused.received_ns,
        source=_shown(chain.source),
        provenance=chain.provenance,
        contracts=len(chain.strike),
    )
    return Held(entry, refused.raw[:MOST_BYTES])


def _shown(text: str) -> str:
    # PostgreSQL's text has no NUL, and nothing that long is a name.
    return text[:_LONGEST].replace("\0", "�")
