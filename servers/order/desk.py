"""The order desk: signals and halts through engine and risk service into the tables and onto the bus."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from skewline.servers.order.chains import Chains
from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.publication import Publication
from skewline.servers.order.risk_questions import RiskQuestions
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.processor import Delivered, Outgoing, Processor
from skewline.v1 import event_pb2, risk_pb2, risk_service_pb2


class OrderDesk:
    """Handles one event at a time, each in one transaction; the processor holds the turn."""

    def __init__(
        self,
        *,
        engine: OrderEngine,
        chains: Chains,
        questions: RiskQuestions,
        processor: Processor,
        publication: Publication,
    ) -> None:
        self._engine = engine
        self._chains = chains
        self._questions = questions
        self._processor = processor
        self._publication = publication

    async def have_chain(self, event: event_pb2.Event) -> None:
        """Wait for the chain of a signal set, before the turn is taken."""
        await self._chains.get(event.signal_set.snapshot_id)

    async def on_signals(self, delivered: Delivered) -> None:
        """Match at the snapshot's quotes, check the signals, trade those approved: always one batch."""
        signals = delivered.event.signal_set
        self._engine.on_chain(await self._chains.get(signals.snapshot_id))
        decisions = await self._questions.ask(
            risk_service_pb2.CheckIntentsRequest(
                request_id=derive_id("check", delivered.event.event_id),
                snapshot_id=signals.snapshot_id,
                time_ns=signals.time_ns,
                intents=self._engine.propose(signals),
            )
        )

        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            batch = self._engine.on_decisions(signals, decisions, delivered.trace_id)
            return None, [self._publication.of_event(connection, batch, delivered)]

        await self._processor.transact(work, cause=delivered.event)

    async def on_risk_state(self, delivered: Delivered) -> None:
        """Cancel working orders when trading was halted: exactly one batch for it."""
        event = delivered.event
        state = event.risk_state

        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            if state.state != risk_pb2.TRADING_STATE_HALTED:
                return None, ()
            batch = self._engine.on_halt(
                state, event.time_ns, snapshot_id=event.snapshot_id, underlying=event.underlying
            )
            return None, [self._publication.of_event(connection, batch, delivered)]

        await self._processor.transact(work, cause=event)
