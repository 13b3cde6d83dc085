"""Rules that reject a snapshot as a whole: it is stored with its reason and never traded on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.live.hours import within_session_ns
from skewline.servers.marketdata.validation.contracts import Standstill
from skewline.servers.marketdata.validation.repetition import repetition
from skewline.servers.runtime import new_york
from skewline.servers.runtime.errors import FieldViolation
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

_SHOWN: Final = 3
_NANOS_A_SECOND: Final = 1_000_000_000
# By how much a source's clock may be ahead of ours, and go back.
_FAST_NS: Final = 300 * _NANOS_A_SECOND
_BACK_NS: Final = 60 * _NANOS_A_SECOND
# Data of now; what is recorded or simulated may be of any time.
_CLOCKED: Final = (common_pb2.PROVENANCE_LIVE, common_pb2.PROVENANCE_DELAYED)
_FEWEST_EXPIRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as the rules see it: what was sent, what is left of it, and the last one accepted."""

    chain: chain_pb2.OptionChain
    violations: Sequence[FieldViolation]
    clean: chain_pb2.OptionChain
    standstill: Standstill
    previous: chain_pb2.OptionChain | None
    received_ns: int
    """Wall clock; 0 in a replay."""
    allowed_ns: int
    """How far the data's time may be behind `received_ns`; 0 is any."""
    source_ns: int
    """Data time of the newest that the source brought, for any underlying; 0 if there is none."""

    @property
    def behind_ns(self) -> int | None:
        """How far the data's time is behind the clock; None where no clock says anything of it."""
        clocked = self.received_ns and self.chain.provenance in _CLOCKED
        return self.received_ns - self.chain.time_ns if clocked else None


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


def _future(s: Snapshot) -> str:
    if s.behind_ns is None or -s.behind_ns <= _FAST_NS:
        return ""
    return f"time {s.chain.time_ns} is {-s.behind_ns / _NANOS_A_SECOND:g} s ahead of the clock"


def _stale(s: Snapshot) -> str:
    if s.behind_ns is None or not s.allowed_ns or s.behind_ns <= s.allowed_ns or _is_of_the_close(s):
        return ""
    return (
        f"time {s.chain.time_ns} is {s.behind_ns / _NANOS_A_SECOND:.6g} s behind the clock,"
        f" {s.allowed_ns / _NANOS_A_SECOND:g} s are allowed (marketdata.stale_after_s and the source's delay)"
    )


def _is_of_the_close(s: Snapshot) -> bool:
    """Whether the market was closed by then and this is what it closed with: there is nothing newer."""
    if contract_terms.kind_of(s.chain) == instrument_pb2.INSTRUMENT_KIND_CRYPTO:
        return False
    now_ns = s.received_ns - s.allowed_ns
    closed_ns = within_session_ns(now_ns)
    return closed_ns < now_ns and s.chain.time_ns >= closed_ns - s.allowed_ns


def _clock_back(s: Snapshot) -> str:
    if s.behind_ns is None or s.source_ns - s.chain.time_ns <= _BACK_NS:
        return ""
    by = (s.source_ns - s.chain.time_ns) / _NANOS_A_SECOND
    return f"time {s.chain.time_ns} is {by:g} s before what {s.chain.source} brought last"


def _standing_still(s: Snapshot) -> str:
    judged, still = (int(each.sum()) for each in (s.standstill.judged, s.standstill.still))
    if s.previous is None or judged < _FEWEST_EXPIRIES or still < judged:
        return ""
    return (
        f"the spot went from {s.previous.spot:g} to {s.chain.spot:g}, and near the money no quote of"
        f" {judged} expiries changed since {s.previous.snapshot_id}"
    )


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
    SnapshotRule("FUTURE_TIME", "live or delayed data whose time is ahead of the clock", _future),
    SnapshotRule("STALE_TIME", "live or delayed data that is older than its source's delay explains", _stale),
    SnapshotRule(
        "CLOCK_WENT_BACK", "the source of live or delayed data brought later data before", _clock_back
    ),
    SnapshotRule(
        "STALE_QUOTES",
        "the spot moved further than the quotes are wide, and near the money none of them changed",
        _standing_still,
    ),
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
