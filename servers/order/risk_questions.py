"""What the risk service is asked, each question in a span of its own."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace

from skewline.servers.order.risk_link import RiskLink
from skewline.servers.runtime.telemetry import traceparent
from skewline.v1 import risk_pb2, risk_service_pb2


class RiskQuestions:
    """Asks over the one conversation with the risk service."""

    def __init__(self, link: RiskLink, tracer: trace.Tracer) -> None:
        self._link = link
        self._tracer = tracer

    async def ask(
        self, question: risk_service_pb2.CheckIntentsRequest, give_up_s: float | None = None
    ) -> Sequence[risk_pb2.RiskDecision]:
        """A decision on each intent, in order; none without asking where there is no intent.

        Raises what `RiskLink.check` raises.
        """
        if not question.intents:
            return ()
        with self._tracer.start_as_current_span(
            "order.check",
            kind=trace.SpanKind.CLIENT,
            attributes={
                "skewline.request_id": question.request_id,
                "skewline.intents": len(question.intents),
            },
        ):
            traced = risk_service_pb2.CheckIntentsRequest()
            traced.CopyFrom(question)
            traced.traceparent = traceparent()
            response = await self._link.check(traced, give_up_s)
        return response.decisions
