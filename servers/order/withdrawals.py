"""Approvals that nobody waits for any more are given back, or risk would hold their exposure for ever.

A command's question to risk is noted before it is asked, and forgotten with the command's own transaction.
What is left over (the caller gave up or went away, the process died) is asked again, without a deadline: risk
answers a question that it knows with the decision that it gave. An approval is then answered by an order
batch that shows its order as denied, or unchanged by a replacement, and so frees what was reserved.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.fingerprint import fingerprint
from skewline.servers.order.publication import Publication
from skewline.servers.order.risk_link import RiskLinkClosed, RiskRefusedQuestion
from skewline.servers.order.risk_questions import RiskQuestions
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.telemetry import trace_id_of, traceparent
from skewline.storage.order import listing, repository
from skewline.storage.order.rows import StoredQuestion
from skewline.v1 import risk_pb2

_log = logging.getLogger(__name__)


class Withdrawals:
    """Settles left-over questions in the background."""

    def __init__(
        self,
        *,
        engine: OrderEngine,
        questions: RiskQuestions,
        processor: Processor,
        publication: Publication,
        tracer: trace.Tracer,
        after_s: float,
    ) -> None:
        """A caller that gave up has `after_s` seconds to send its command again."""
        self._engine = engine
        self._questions = questions
        self._processor = processor
        self._publication = publication
        self._tracer = tracer
        self._after_s = after_s
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what an earlier run left over."""
        self.wake()
        self._task = asyncio.create_task(self._run(), name="withdrawals")

    async def stop(self) -> None:
        """What is left over then is settled after the next start."""
        if self._task is not None:
            await end(self._task)

    def wake(self) -> None:
        """A command ended without having been carried out."""
        self._wanted.set()

    async def _run(self) -> None:
        backoff = Backoff(first=0.1, most=5.0)
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._after_s)
            self._wanted.clear()
            try:
                for left in await self._processor.read(repository.questions):
                    await self._settle(left)
                backoff.reset()
            except RiskLinkClosed:
                return
            except Exception:  # noqa: BLE001 - whatever it was, exposure that nobody uses must not stay
                _log.exception("withdrawal failed and is tried again")
                self.wake()
                await asyncio.sleep(backoff.next())

    async def _settle(self, left: StoredQuestion) -> None:
        check_id = left.question.request_id
        with self._tracer.start_as_current_span(
            "order.withdraw", attributes={"skewline.request_id": check_id}
        ):
            decision = await self._decision(left)
            received_ns, trace_id = time.time_ns(), trace_id_of(traceparent())

            def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
                # Not there: the command came again meanwhile, and was carried out.
                if not repository.remove_question(connection, check_id) or not decision.approved:
                    return None, ()
                return None, [self._withdraw(connection, left, trace_id, received_ns)]

            async with self._processor.exclusive():
                await self._processor.transact(work)

    async def _decision(self, left: StoredQuestion) -> risk_pb2.RiskDecision:
        try:
            return (await self._questions.ask(left.question))[0]
        except RiskRefusedQuestion as refused:
            _log.warning("nothing to withdraw: %s", refused)
            return risk_pb2.RiskDecision()

    def _withdraw(
        self, connection: Connection, left: StoredQuestion, trace_id: str, received_ns: int
    ) -> Outgoing:
        intent, request = left.question.intents[0], left.command.submit
        order = listing.order(connection, intent.intent_id)
        if order is not None:
            batch = self._engine.restate(order)
        else:
            batch = self._engine.withdraw(request, intent, trace_id)
            repository.add_request(
                connection, request.request_id, fingerprint("submit", request), intent.intent_id
            )
        return self._publication.of_command(
            connection, batch, "withdraw", left.question.request_id, received_ns
        )
