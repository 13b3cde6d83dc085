"""Manual commands through engine and risk service into the tables and onto the bus."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.fingerprint import Command, fingerprint
from skewline.servers.order.proposals import denial_reason
from skewline.servers.order.publication import Publication
from skewline.servers.order.risk_questions import RiskQuestions
from skewline.servers.order.withdrawals import Withdrawals
from skewline.servers.runtime.errors import AlreadyExists, NotFound, Refused, ServiceError
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.telemetry import trace_id_of, traceparent
from skewline.storage.order import listing, repository
from skewline.storage.order.rows import StoredQuestion
from skewline.v1 import order_pb2, order_service_pb2, risk_pb2, risk_service_pb2


class CommandDesk:
    """Carries out one command at a time, each once: a repeat returns the order as it is."""

    def __init__(
        self,
        *,
        engine: OrderEngine,
        questions: RiskQuestions,
        withdrawals: Withdrawals,
        processor: Processor,
        publication: Publication,
        tracer: trace.Tracer,
        deadline_s: float,
    ) -> None:
        """A command waits `deadline_s` seconds for the risk service."""
        self._engine = engine
        self._questions = questions
        self._withdrawals = withdrawals
        self._processor = processor
        self._publication = publication
        self._tracer = tracer
        self._deadline_s = deadline_s

    async def submit(self, request: order_service_pb2.SubmitOrderRequest) -> order_pb2.Order:
        """Enter a manual order: denied if risk refuses it."""
        async with self._turn("submit", request.request_id):
            known = await self._known("submit", request)
            if known is not None:
                return known
            intent = self._engine.propose_command(request)
            command = order_service_pb2.StreamOrdersRequest(submit=request)
            question = _question(request.request_id, intent)
            decision = await self._ask(question, command)
            trace_id = trace_id_of(traceparent())
            return await self._carry_out(
                "submit",
                request,
                intent.intent_id,
                lambda: self._engine.on_command(request, decision, trace_id),
                question.request_id,
            )

    async def cancel(self, request: order_service_pb2.CancelOrderRequest) -> order_pb2.Order:
        """Cancel what is not filled."""
        async with self._turn("cancel", request.request_id):
            known = await self._known("cancel", request)
            if known is not None:
                return known
            self._engine.check_cancel(request)
            return await self._carry_out(
                "cancel", request, request.order_id, lambda: self._engine.cancel(request)
            )

    async def replace(self, request: order_service_pb2.ReplaceOrderRequest) -> order_pb2.Order:
        """Change an order's terms. Raises Refused if risk refuses them."""
        async with self._turn("replace", request.request_id):
            known = await self._known("replace", request)
            if known is not None:
                return known
            intent = self._engine.propose_replace(request)
            command = order_service_pb2.StreamOrdersRequest(replace=request)
            question = _question(request.request_id, intent)
            decision = await self._ask(question, command)
            if not decision.approved:
                raise Refused("RISK", f"risk refuses the new terms: {denial_reason(decision)}")
            return await self._carry_out(
                "replace",
                request,
                request.order_id,
                lambda: self._engine.replace(request, decision),
                question.request_id,
            )

    @asynccontextmanager
    async def _turn(self, kind: str, request_id: str) -> AsyncIterator[None]:
        """A span of its own, also for a command that came on a stream, and the turn."""
        attributes = {"skewline.request_id": request_id}
        refusal: ServiceError | None = None
        with self._tracer.start_as_current_span(f"order.{kind}", attributes=attributes):
            try:
                async with self._processor.exclusive():
                    try:
                        yield
                    except ServiceError as error:
                        # Raised before anything changed: no reason to rebuild the engine for a bad command.
                        refusal = error
            except BaseException:
                self._withdrawals.wake()
                raise
            if refusal is not None:
                self._withdrawals.wake()
                raise refusal

    async def _ask(
        self,
        question: risk_service_pb2.CheckIntentsRequest,
        command: order_service_pb2.StreamOrdersRequest,
    ) -> risk_pb2.RiskDecision:
        def note(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            repository.save_question(connection, StoredQuestion(question, command))
            return None, ()

        # Noted first: whoever gives up before the answer, or dies, what risk reserves is given back.
        await self._processor.transact(note)
        return (await self._questions.ask(question, self._deadline_s))[0]

    async def _known(self, kind: str, request: Command) -> order_pb2.Order | None:
        """The order of a command that was carried out before. Raises AlreadyExists for another command."""

        def read(connection: Connection) -> order_pb2.Order | None:
            stored = repository.request(connection, request.request_id)
            if stored is None:
                return None
            known, order_id = stored
            if known != fingerprint(kind, request):
                raise AlreadyExists("request", request.request_id)
            return listing.order(connection, order_id)

        return await self._processor.read(read)

    async def _carry_out(
        self,
        kind: str,
        request: Command,
        order_id: str,
        command: Callable[[], order_pb2.OrderBatch],
        check_id: str = "",
    ) -> order_pb2.Order:
        received_ns = time.time_ns()

        def work(connection: Connection) -> tuple[order_pb2.Order, Sequence[Outgoing]]:
            outgoing = self._publication.of_command(
                connection, command(), kind, request.request_id, received_ns
            )
            repository.add_request(connection, request.request_id, fingerprint(kind, request), order_id)
            repository.remove_question(connection, check_id)
            order = listing.order(connection, order_id)
            if order is None:
                raise NotFound("order", order_id)
            return order, [outgoing]

        return await self._processor.transact(work)


def _question(request_id: str, intent: risk_pb2.OrderIntent) -> risk_service_pb2.CheckIntentsRequest:
    # A retry after the next snapshot asks anew: its intent is another.
    return risk_service_pb2.CheckIntentsRequest(
        request_id=derive_id("check", "request", request_id, intent.snapshot_id),
        time_ns=intent.time_ns,
        intents=[intent],
    )
