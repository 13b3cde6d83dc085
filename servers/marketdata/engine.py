"""The service's decisions: which snapshots and contracts are fit to be traded on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skewline.servers.marketdata.action_master import ActionMaster
from skewline.servers.marketdata.chain_columns import add_columns, columns_of, contract_order
from skewline.servers.marketdata.validation.contract_rules import contracts_of, set_aside
from skewline.servers.marketdata.validation.schema import schema_violations
from skewline.servers.marketdata.validation.snapshot_rules import Snapshot, faults
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.messages import copy_into
from skewline.v1 import chain_pb2, corporate_action_pb2, event_pb2


@dataclass(frozen=True, slots=True)
class ChainOutcome:
    """What became of a chain: `chain` is the clean one if it was accepted, `alert` says why if it was not.

    `actions` are the corporate actions that it made known.
    """

    summary: chain_pb2.ChainSummary
    chain: chain_pb2.OptionChain | None
    alert: event_pb2.Alert | None
    actions: Sequence[corporate_action_pb2.CorporateAction] = ()


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

    def __init__(self) -> None:
        self.restore(())

    def restore(
        self,
        newest_accepted: Iterable[chain_pb2.OptionChain],
        actions: Iterable[corporate_action_pb2.CorporateAction] = (),
    ) -> None:
        """Take up where the newest accepted chain of each underlying left off."""
        self._last = {chain.underlying: chain for chain in newest_accepted}
        self._actions = ActionMaster(actions)

    def last_ns(self, underlying: str) -> int:
        """Data time of the last accepted snapshot; 0 before the first."""
        last = self._last.get(underlying)
        return last.time_ns if last is not None else 0

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

    def on_chain(self, chain: chain_pb2.OptionChain, snapshot_id: str = "") -> ChainOutcome:
        """Judge `chain`, whose snapshot_id is empty, and clean it. The same chain twice is out of order.

        Give `snapshot_id`, that of `snapshot_id_of`, where it is known already.
        """
        snapshot_id = snapshot_id or snapshot_id_of(chain)
        violations = schema_violations(chain)
        clean = chain_pb2.OptionChain() if violations else _cleaned(chain, snapshot_id)
        reason, detail = faults(Snapshot(chain, violations, clean, self._last.get(chain.underlying)))
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
        )
        if reason:
            return ChainOutcome(summary, None, _alert(summary))
        learnt = self.learn(chain.corporate_actions)
        clean.corporate_actions.extend(self._actions.carried_by(clean))
        self._last[chain.underlying] = clean
        return ChainOutcome(summary, clean, None, learnt)


def _alert(summary: chain_pb2.ChainSummary) -> event_pb2.Alert:
    return event_pb2.Alert(
        service="marketdata",
        reason=summary.reason,
        message=f"{summary.underlying} {summary.snapshot_id} of {summary.source} rejected: {summary.detail}",
        underlying=summary.underlying,
        provenance=summary.provenance,
    )


def _cleaned(chain: chain_pb2.OptionChain, snapshot_id: str) -> chain_pb2.OptionChain:
    columns = columns_of(chain)
    keep, counts = (
        set_aside(contracts_of(chain, columns)) if len(chain.strike) else (np.ones(0, np.bool_), [])
    )
    by_time = sorted(
        range(len(chain.expiries)), key=lambda i: (chain.expiries[i].expiry_ns, chain.expiries[i].root)
    )
    rank = np.zeros(max(len(by_time), 1), dtype=np.int64)
    rank[by_time] = np.arange(len(by_time))
    ranked = replace(columns, expiry_index=rank[columns.expiry_index])
    order = contract_order(ranked)
    order = order[keep[order]]
    # Expiries that no contract is left of go, so that nobody fits a surface to nothing.
    held = np.bincount(ranked.expiry_index[order], minlength=rank.size) > 0
    compact = np.cumsum(held) - 1
    clean = chain_pb2.OptionChain(
        snapshot_id=snapshot_id,
        underlying=chain.underlying,
        time_ns=chain.time_ns,
        source=chain.source,
        provenance=chain.provenance,
        spot=chain.spot if math.isfinite(chain.spot) else math.nan,
        exercise=chain.exercise,
        multiplier=chain.multiplier,
        currency=chain.currency,
        expiries=[chain.expiries[by_time[place]] for place in np.flatnonzero(held).tolist()],
        rejected=counts,
    )
    add_columns(clean, replace(ranked, expiry_index=compact[ranked.expiry_index]), order)
    return clean
