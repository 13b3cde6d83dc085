"""The order desk: what changes the service's state, one cause at a time, each in one transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from google.protobuf.message import Message
from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.order import store
from skewline.servers.order.chains import Chains
from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.order_spans import OrderSpans
from skewline.servers.order.proposals import denial_reason
from skewline.servers.order.risk_link import RiskLink
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.errors import AlreadyExists, NotFound, Refused, ServiceError
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.processor import Delivered, Outgoing, Processor
from skewline.servers.runtime.telemetry import traceparent
from skewline.storage.order import listing, repository
from skewline.v1 import event_pb2, order_pb2, order_service_pb2, risk_pb2, risk_service_pb2

SERVICE: Final = "order"

_Command = (
    order_service_pb2.SubmitOrderRequest
    | order_service_pb2.CancelOrderRequest
    | order_service_pb2.ReplaceOrderRequest
)


class OrderDesk:
    """Takes signals, halts and commands through engine and risk service into the tables and onto the bus."""

    def __init__(
        self,
        *,
        engine: OrderEngine,
        chains: Chains,
        risk: RiskLink,
        processor: Processor,
        tracer: trace.Tracer,
        command_deadline_s: float,
    ) -> None:
        self._engine = engine
        self._chains = chains
        self._risk = risk
        self._processor = processor
        self._tracer = tracer
        self._command_deadline_s = command_deadline_s
        self._spans = OrderSpans(tracer, engine.venue)

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the tables."""
        restored = store.load(connection)
        self._engine.restore(restored.state)
        self._spans.restore(restored.traceparents)

    # --- events; the processor holds the turn

    async def have_chain(self, event: event_pb2.Event) -> None:
        """Wait for the chain of a signal set, before the turn is taken."""
        await self._chains.get(event.signal_set.snapshot_id)

    async def on_signals(self, delivered: Delivered) -> None:
        """Match at the snapshot's quotes, check the signals, trade those approved: always one batch."""
        signals = delivered.event.signal_set
        self._engine.on_chain(await self._chains.get(signals.snapshot_id))
        intents = self._engine.propose(signals)
        decisions = await self._ask(
            derive_id("check", delivered.event.event_id), signals.snapshot_id, signals.time_ns, intents, None
        )

        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            batch = self._engine.on_decisions(signals, decisions, delivered.trace_id)
            self._save(connection, batch)
            return None, [_outgoing(batch, delivered)]

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
            self._save(connection, batch)
            return None, [_outgoing(batch, delivered)]

        await self._processor.transact(work, cause=event)

    # --- commands

    async def submit(self, request: order_service_pb2.SubmitOrderRequest) -> order_pb2.Order:
        """Enter a manual order: denied if risk refuses it. A repeat returns the order."""
        async with self._command("submit", request.request_id):
            known = await self._known("submit", request)
            if known is not None:
                return known
            intent = self._engine.propose_command(request)
            decision = await self._ask_for(intent, request.request_id)
            trace_id = _trace_id()
            return await self._carry_out(
                "submit",
                request,
                intent.intent_id,
                lambda: self._engine.on_command(request, decision, trace_id),
            )

    async def cancel(self, request: order_service_pb2.CancelOrderRequest) -> order_pb2.Order:
        """Cancel what is not filled. A repeat returns the order."""
        async with self._command("cancel", request.request_id):
            known = await self._known("cancel", request)
            if known is not None:
                return known
            self._engine.check_cancel(request)
            return await self._carry_out(
                "cancel", request, request.order_id, lambda: self._engine.cancel(request)
            )

    async def replace(self, request: order_service_pb2.ReplaceOrderRequest) -> order_pb2.Order:
        """Change an order's terms. Raises Refused if risk refuses them. A repeat returns the order."""
        async with self._command("replace", request.request_id):
            known = await self._known("replace", request)
            if known is not None:
                return known
            intent = self._engine.propose_replace(request)
            decision = await self._ask_for(intent, request.request_id)
            if not decision.approved:
                raise Refused("RISK", f"risk refuses the new terms: {denial_reason(decision)}")
            return await self._carry_out(
                "replace", request, request.order_id, lambda: self._engine.replace(request, decision)
            )

    # --- parts

    @asynccontextmanager
    async def _command(self, kind: str, request_id: str) -> AsyncIterator[None]:
        """A span of its own, also for a command that came on a stream, and the turn."""
        attributes = {"skewline.request_id": request_id}
        refusal: ServiceError | None = None
        with self._tracer.start_as_current_span(f"order.{kind}", attributes=attributes):
            async with self._processor.exclusive():
                try:
                    yield
                except ServiceError as error:
                    # Raised before anything changed: no reason to rebuild the engine for a bad command.
                    refusal = error
            if refusal is not None:
                raise refusal

    async def _ask_for(self, intent: risk_pb2.OrderIntent, request_id: str) -> risk_pb2.RiskDecision:
        # A retry after the next snapshot asks anew: its intent is another.
        check_id = derive_id("check", "request", request_id, intent.snapshot_id)
        found = await self._ask(check_id, "", intent.time_ns, [intent], self._command_deadline_s)
        return found[0]

    async def _ask(
        self,
        request_id: str,
        snapshot_id: str,
        time_ns: int,
        intents: Sequence[risk_pb2.OrderIntent],
        give_up_s: float | None,
    ) -> Sequence[risk_pb2.RiskDecision]:
        if not intents:
            return ()
        with self._tracer.start_as_current_span(
            "order.check",
            kind=trace.SpanKind.CLIENT,
            attributes={"skewline.request_id": request_id, "skewline.intents": len(intents)},
        ):
            response = await self._risk.check(
                risk_service_pb2.CheckIntentsRequest(
                    request_id=request_id,
                    snapshot_id=snapshot_id,
                    time_ns=time_ns,
                    intents=intents,
                    traceparent=traceparent(),
                ),
                give_up_s,
            )
        return response.decisions

    async def _known(self, kind: str, request: _Command) -> order_pb2.Order | None:
        """The order of a command that was carried out before. Raises AlreadyExists for another command."""

        def read(connection: Connection) -> order_pb2.Order | None:
            stored = repository.request(connection, request.request_id)
            if stored is None:
                return None
            fingerprint, order_id = stored
            if fingerprint != _fingerprint(kind, request):
                raise AlreadyExists("request", request.request_id)
            return listing.order(connection, order_id)

        return await self._processor.read(read)

    async def _carry_out(
        self, kind: str, request: _Command, order_id: str, command: Callable[[], order_pb2.OrderBatch]
    ) -> order_pb2.Order:
        received_ns = time.time_ns()

        def work(connection: Connection) -> tuple[order_pb2.Order, Sequence[Outgoing]]:
            batch = command()
            self._save(connection, batch)
            repository.add_request(connection, request.request_id, _fingerprint(kind, request), order_id)
            event = envelope(
                service=SERVICE,
                payload=batch,
                key=(kind, request.request_id),
                time_ns=batch.time_ns,
                underlying=batch.underlying,
                received_ns=received_ns,
                published_ns=time.time_ns(),
            )
            order = listing.order(connection, order_id)
            if order is None:
                raise NotFound("order", order_id)
            return order, [Outgoing(_subject(batch), event)]

        return await self._processor.transact(work)

    def _save(self, connection: Connection, batch: order_pb2.OrderBatch) -> None:
        store.save(connection, self._engine.changes, self._spans.record(batch))


def _outgoing(batch: order_pb2.OrderBatch, delivered: Delivered) -> Outgoing:
    event = envelope(
        service=SERVICE,
        payload=batch,
        cause=delivered.event,
        received_ns=delivered.received_ns,
        published_ns=time.time_ns(),
    )
    return Outgoing(_subject(batch), event)


def _subject(batch: order_pb2.OrderBatch) -> str:
    return f"order.{batch.underlying or 'ALL'}"


def _fingerprint(kind: str, request: Message) -> str:
    return f"{kind}:{hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()}"


def _trace_id() -> str:
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
