"""The service's decisions: which snapshots and contracts are fit to be traded on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skewline.servers.marketdata.action_master import ActionMaster
from skewline.servers.marketdata.chain_columns import columns_of
from skewline.servers.marketdata.cleaning import Aside, cleaned, nothing_left
from skewline.servers.marketdata.validation.contracts import Accepted
from skewline.servers.marketdata.validation.freshness import Freshness
from skewline.servers.marketdata.validation.schema import schema_violations
from skewline.servers.marketdata.validation.snapshot_rules import Snapshot, faults
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.messages import copy_into
from skewline.v1 import chain_pb2, corporate_action_pb2, event_pb2


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """What became of a chain: `chain` is the clean one if it was accepted, `alert` says why if it was not.

    `actions` are the corporate actions that it made known; `aside` are contracts that were set aside, if it
    was accepted.
    """

    summary: chain_pb2.ChainSummary
    chain: chain_pb2.OptionChain | None
    alert: event_pb2.Alert | None
    actions: Sequence[corporate_action_pb2.CorporateAction] = ()
    aside: Sequence[Aside] = ()


def snapshot_id_of(chain: chain_pb2.OptionChain) -> str:
    """The id that follows from source, underlying, time and content, whatever id the chain bears."""
    content = chain
    if chain.snapshot_id:
        content = chain_pb2.OptionChain()
        copy_into(content, chain)
        content.snapshot_id = ""
    digest = hashlib.sha256(content.SerializeToString(deterministic=True)).hexdigest()
    return derive_id("snapshot", chain.source, chain.underlying, chain.time_ns, digest)


class MarketDataEngine:
    """Pure: chains in, outcomes out.

    It remembers corporate actions, and the last accepted snapshot of each underlying.
    """

    def __init__(self, freshness: Freshness = Freshness()) -> None:  # noqa: B008 - it cannot be changed
        self._freshness = freshness
        self.restore(())

    def restore(
        self,
        newest_accepted: Iterable[chain_pb2.OptionChain],
        actions: Iterable[corporate_action_pb2.CorporateAction] = (),
    ) -> None:
        """Take up where the newest accepted chain of each underlying left off."""
        self._last = {chain.underlying: Accepted(chain, columns_of(chain)) for chain in newest_accepted}
        self._actions = ActionMaster(actions)

    def last_ns(self, underlying: str) -> int:
        """Data time of the last accepted snapshot; 0 before the first."""
        last = self._last.get(underlying)
        return last.chain.time_ns if last is not None else 0

    def reached_ns(self, action: corporate_action_pb2.CorporateAction) -> int:
        """Data time of the last accepted snapshot of those whose contracts it changes; 0 before the first."""
        return max(self.last_ns(action.underlying), self.last_ns(action.new_symbol))

    def learn(
        self, actions: Iterable[corporate_action_pb2.CorporateAction]
    ) -> list[corporate_action_pb2.CorporateAction]:
        """Take corporate actions, which are valid; those that are new, or changed before they took effect."""
        return [
            fresh for action in actions for fresh in self._actions.learn([action], self.reached_ns(action))
        ]

    def on_chain(
        self, chain: chain_pb2.OptionChain, snapshot_id: str = "", received_ns: int = 0
    ) -> ChainOutcome:
        """Judge `chain`, whose snapshot_id is empty, and clean it. The same chain twice is out of order.

        Give `snapshot_id`, that of `snapshot_id_of`, where it is known already, and when the chain was
        received, by the wall clock, unless it is a replay's: what is live or delayed is held against that.
        """
        snapshot_id = snapshot_id or snapshot_id_of(chain)
        violations = schema_violations(chain)
        last = self._last.get(chain.underlying)
        left = nothing_left() if violations else cleaned(chain, snapshot_id, last)
        clean = left.kept.chain
        reason, detail = faults(
            Snapshot(
                chain=chain,
                violations=violations,
                clean=clean,
                standstill=left.standstill,
                previous=last.chain if last is not None else None,
                received_ns=received_ns,
                allowed_ns=self._freshness.allowed_ns(chain),
                source_ns=self._source_ns(chain) if received_ns else 0,
            )
        )
        summary = chain_pb2.ChainSummary(
            snapshot_id=snapshot_id,
            underlying=chain.underlying,
            time_ns=chain.time_ns,
            source=chain.source,
            provenance=chain.provenance,
            status=chain_pb2.CHAIN_STATUS_REJECTED if reason else chain_pb2.CHAIN_STATUS_ACCEPTED,
            reason=reason,
            spot=chain.spot,
            expiries=len(clean.expiries),
            quotes=len(clean.strike),
            rejected=clean.rejected,
            detail=detail,
            noted=clean.noted,
        )
        if reason:
            return ChainOutcome(summary, None, _alert(summary))
        learnt = self.learn(chain.corporate_actions)
        clean.corporate_actions.extend(self._actions.carried_by(clean, self.last_ns))
        self._last[chain.underlying] = left.kept
        return ChainOutcome(summary, clean, None, learnt, left.aside)

    def _source_ns(self, chain: chain_pb2.OptionChain) -> int:
        """Data time of the newest that the source of `chain` brought, of those that are the last accepted."""
        last = (each.chain for each in self._last.values())
        return max((each.time_ns for each in last if each.source == chain.source), default=0)


def _alert(summary: chain_pb2.ChainSummary) -> event_pb2.Alert:
    return event_pb2.Alert(
        service="marketdata",
        reason=summary.reason,
        message=f"{summary.underlying} {summary.snapshot_id} of {summary.source} rejected: {summary.detail}",
        underlying=summary.underlying,
        provenance=summary.provenance,
    )
