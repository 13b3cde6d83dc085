"""Rules that reject a snapshot as a whole: it is stored with its reason and never traded on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.validation.repetition import repetition
from skewline.servers.runtime import new_york
from skewline.servers.runtime.errors import FieldViolation
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

_SHOWN: Final = 3
_NANOS_A_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as the rules see it: what was sent, what is left of it, and the last one accepted."""

    chain: chain_pb2.OptionChain
    violations: Sequence[FieldViolation]
    clean: chain_pb2.OptionChain
    previous: chain_pb2.OptionChain | None


@dataclass(frozen=True, slots=True)
class SnapshotRule:
    """Rejects, under a stable reason, the snapshots of which `detail` has something to say."""

    reason: str
    meaning: str
    detail: Callable[[Snapshot], str]


def _schema(s: Snapshot) -> str:
    shown = "; ".join(f"{v.field}: {v.description}" for v in s.violations[:_SHOWN])
    more = len(s.violations) - _SHOWN
    return f"{shown} (and {more} more)" if more > 0 else shown


def _provenance(s: Snapshot) -> str:
    if s.chain.provenance in common_pb2.Provenance.values()[1:]:
        return ""
    return "provenance is not stated; say whether the data is live, recorded or simulated"


def _source(s: Snapshot) -> str:
    return "" if s.chain.source.strip() else "source is empty; name the feed or file"


def _empty(s: Snapshot) -> str:
    if s.clean.strike:
        return ""
    sent = len(s.chain.strike)
    return f"all {sent} contracts were set aside" if sent else "the chain has no contracts"


def _out_of_order(s: Snapshot) -> str:
    if s.previous is None or s.chain.time_ns > s.previous.time_ns:
        return ""
    by = (s.previous.time_ns - s.chain.time_ns) / _NANOS_A_SECOND
    return f"time {s.chain.time_ns} is {by:g} s before the last accepted {s.previous.time_ns}, or equal to it"


def _holiday(s: Snapshot) -> str:
    # Crypto assets trade every day.
    if contract_terms.kind_of(s.chain) == instrument_pb2.INSTRUMENT_KIND_CRYPTO:
        return ""
    day = new_york.date_of(s.chain.time_ns)
    return "" if new_york.is_session(day) else f"{day} is no session of the New York Stock Exchange"


def _duplicate(s: Snapshot) -> str:
    return repetition(s.clean, s.previous) if s.previous is not None and s.clean.strike else ""


SNAPSHOT_RULES: Final = (
    SnapshotRule("SCHEMA", "the message does not hold together", _schema),
    SnapshotRule("UNSPECIFIED_PROVENANCE", "live, recorded or simulated is not stated", _provenance),
    SnapshotRule("UNKNOWN_SOURCE", "the source has no name", _source),
    SnapshotRule("EMPTY", "no contract is left", _empty),
    SnapshotRule("OUT_OF_ORDER", "the time is not after the last accepted snapshot's", _out_of_order),
    SnapshotRule("MARKET_HOLIDAY", "the exchange was closed on the day", _holiday),
    SnapshotRule("DUPLICATE_SNAPSHOT", "a stale repeat of the last accepted snapshot", _duplicate),
)
"""Every rule; the first broken one gives the reason, all of them the detail."""


def faults(snapshot: Snapshot) -> tuple[str, str]:
    """The reason ("" if accepted) and, in words, everything that is wrong."""
    reason, details = "", []
    for rule in SNAPSHOT_RULES:
        if said := rule.detail(snapshot):
            reason = reason or rule.reason
            details.append(f"{rule.reason}: {said}")
            if rule.reason == "SCHEMA":
                break
    return reason, "; ".join(details)
