"""Taking one chain in: judged, stored and announced in one transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata.engine import ChainOutcome, MarketDataEngine, snapshot_id_of
from skewline.servers.marketdata.instrument_master import InstrumentMaster
from skewline.servers.marketdata.quarantine import held_of
from skewline.servers.marketdata.validation.freshness import Freshness
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.messages import copy_into
from skewline.servers.runtime.processor import Outgoing
from skewline.storage.marketdata import chains, corporate_actions, instruments, quarantine
from skewline.storage.marketdata.corporate_actions import ActionQuery
from skewline.v1 import chain_pb2, corporate_action_pb2, quarantine_pb2

SERVICE: Final = "marketdata"
CHAIN_SUBJECTS: Final = "market.chain.>"
_ALERTS: Final = "alert.marketdata"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a chain; `fresh` is False if it had been stored before, and nothing was done now."""

    summary: chain_pb2.ChainSummary
    chain: chain_pb2.OptionChain | None
    outgoing: tuple[Outgoing, ...]
    fresh: bool
    held: Sequence[quarantine_pb2.QuarantineEntry] = ()
    """What of it went into the quarantine."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """Corporate actions that are new; `late` are those of them that positions were not adjusted for."""

    fresh: Sequence[corporate_action_pb2.CorporateAction]
    late: Sequence[corporate_action_pb2.CorporateAction]
    outgoing: tuple[Outgoing, ...]


class Intake:
    """The engine and the instrument master, kept in step with the tables. Used in the writer thread only."""

    def __init__(self, freshness: Freshness) -> None:
        self._freshness = freshness
        self._engine = MarketDataEngine(freshness)
        self._master = InstrumentMaster()

    def restore(self, connection: Connection) -> None:
        """Rebuild both from the tables."""
        newest = chains.newest_accepted(connection)
        self._engine = MarketDataEngine(self._freshness)
        self._engine.restore(newest, corporate_actions.actions(connection, ActionQuery()))
        self._master.restore(instruments.present(connection), newest)

    def take(
        self,
        connection: Connection,
        chain: chain_pb2.OptionChain,
        received_ns: int,
        traceparent: str = "",
        *,
        replayed: bool = False,
    ) -> Taken:
        """Judge `chain`, store it and say what to publish; the same chain again changes nothing.

        `traceparent` is the snapshot's span, where that is not the current one. What is `replayed` is not
        held against the clock.
        """
        snapshot_id = snapshot_id_of(chain)
        known = chains.summary(connection, snapshot_id)
        if known is not None:
            return Taken(known, None, (), fresh=False)
        outcome = self._engine.on_chain(chain, snapshot_id, 0 if replayed else received_ns)
        if outcome.chain is None:
            rejected = chain_pb2.OptionChain()
            copy_into(rejected, chain)
            rejected.snapshot_id = outcome.summary.snapshot_id
            chains.add(connection, outcome.summary, rejected)
        else:
            chains.add(connection, outcome.summary, outcome.chain)
            self._master.observe(connection, outcome.chain)
        corporate_actions.save(connection, outcome.actions)
        held = held_of(outcome, chain, received_ns)
        quarantine.add(connection, held)
        outgoing = (
            *(_announced_action(action, received_ns) for action in outcome.actions),
            _announced(outcome, received_ns, traceparent),
        )
        entries = [one.entry for one in held]
        return Taken(outcome.summary, outcome.chain, outgoing, fresh=True, held=entries)

    def learn(
        self,
        connection: Connection,
        actions: Sequence[corporate_action_pb2.CorporateAction],
        received_ns: int,
    ) -> Learnt:
        """Take corporate actions, which are valid, store and announce those that are new."""
        fresh = self._engine.learn(actions)
        corporate_actions.save(connection, fresh)
        late = [action for action in fresh if action.effective_ns <= self._engine.reached_ns(action)]
        return Learnt(fresh, late, tuple(_announced_action(action, received_ns) for action in fresh))


def _announced_action(action: corporate_action_pb2.CorporateAction, received_ns: int) -> Outgoing:
    digest = hashlib.sha256(action.SerializeToString(deterministic=True)).hexdigest()
    event = envelope(
        service=SERVICE,
        payload=action,
        key=(action.action_id, digest),
        time_ns=action.effective_ns,
        underlying=action.underlying,
        received_ns=received_ns,
        published_ns=time.time_ns(),
    )
    return Outgoing(f"market.action.{action.underlying}", event)


def _announced(outcome: ChainOutcome, received_ns: int, traceparent: str) -> Outgoing:
    summary = outcome.summary
    payload = outcome.chain if outcome.chain is not None else outcome.alert
    assert payload is not None
    event = envelope(
        service=SERVICE,
        payload=payload,
        key=(summary.snapshot_id,),
        time_ns=summary.time_ns,
        snapshot_id=summary.snapshot_id,
        underlying=summary.underlying,
        received_ns=received_ns,
        published_ns=time.time_ns(),
    )
    subject = f"market.chain.{summary.underlying}" if outcome.chain is not None else _ALERTS
    return Outgoing(subject, event, traceparent)
