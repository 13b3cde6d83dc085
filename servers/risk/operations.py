"""What changes the risk service's state: each is one transaction, and each request is answered once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection

from skewline.servers.risk import store
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.errors import AlreadyExists
from skewline.servers.runtime.processor import Delivered, Outgoing
from skewline.storage.risk import repository
from skewline.storage.risk.rows import StoredAnswer
from skewline.v1 import event_pb2, order_pb2, risk_pb2, surface_pb2
from skewline.v1 import risk_service_pb2 as pb

SERVICE: Final = "risk"
PORTFOLIOS: Final = "risk.portfolio.>"
STATES: Final = "risk.state"

M = TypeVar("M", bound=Message)
Outcome = tuple[M, Sequence[Outgoing]]


class RiskOperations:
    """Runs inside a write transaction, while the turn is held."""

    def __init__(self, engine: RiskEngine) -> None:
        self._engine = engine

    def surface(self, connection: Connection, surface: surface_pb2.VolSurface) -> None:
        """Take a surface."""
        self._engine.on_surface(surface)
        repository.add_surface(connection, surface)

    def orders(self, connection: Connection, delivered: Delivered) -> Sequence[Outgoing]:
        """Take an order batch: exactly one portfolio follows, the watermark of its snapshot.

        A batch that trips the kill switch is followed by the switch alone: the watermark comes with the batch
        of the cancellations that it causes, so that a replay goes on only after these.
        """
        batch: order_pb2.OrderBatch = delivered.event.order_batch
        self._have_surface(connection, batch.snapshot_id)
        was_halted = self._is_halted
        portfolio = self._engine.on_orders(batch)
        store.save_batch(connection, self._engine, [fill.instrument_id for fill in batch.fills])
        repository.add_portfolio(connection, portfolio)
        if batch.underlying:
            repository.forget_surfaces(connection, batch.underlying, self._engine.valued_ns(batch.underlying))
        if self._is_halted and not was_halted:
            repository.add_state(connection, self._engine.state)
            return [Outgoing(STATES, _event(self._engine.state, delivered))]
        return [Outgoing(f"risk.portfolio.{batch.underlying or 'ALL'}", _event(portfolio, delivered))]

    def check(
        self, connection: Connection, request: pb.CheckIntentsRequest
    ) -> Outcome[pb.CheckIntentsResponse]:
        """Decide on a batch of intents."""

        def decide() -> Outcome[pb.CheckIntentsResponse]:
            self._have_surface(connection, request.snapshot_id)
            decisions = self._engine.check(request)
            repository.add_decisions(connection, request, decisions)
            store.save_adjusted(connection, self._engine)
            store.save_reservations(connection, self._engine)
            return pb.CheckIntentsResponse(request_id=request.request_id, decisions=decisions), []

        untraced = pb.CheckIntentsRequest()
        untraced.CopyFrom(request)
        untraced.ClearField("traceparent")
        return _once(connection, "check", untraced, pb.CheckIntentsResponse, decide)

    def set_limits(
        self, connection: Connection, request: pb.SetLimitsRequest
    ) -> Outcome[pb.SetLimitsResponse]:
        """Put limits in force."""

        def change() -> Outcome[pb.SetLimitsResponse]:
            self._engine.set_limits(request.limits)
            repository.add_limits(connection, request.limits, request.changed_by, self._now())
            store.save_account(connection, self._engine)
            return pb.SetLimitsResponse(limits=request.limits), []

        return _once(connection, "set_limits", request, pb.SetLimitsResponse, change)

    def halt(self, connection: Connection, request: pb.HaltTradingRequest) -> Outcome[pb.HaltTradingResponse]:
        """Trip the kill switch."""

        def change() -> Outcome[pb.HaltTradingResponse]:
            state = self._engine.halt(request.reason, request.changed_by, self._now())
            return pb.HaltTradingResponse(state=state), self._switched(connection, state, request.request_id)

        return _once(connection, "halt", request, pb.HaltTradingResponse, change)

    def resume(
        self, connection: Connection, request: pb.ResumeTradingRequest
    ) -> Outcome[pb.ResumeTradingResponse]:
        """Let trading go on."""

        def change() -> Outcome[pb.ResumeTradingResponse]:
            state = self._engine.resume(request.reason, request.changed_by, self._now())
            store.save_account(connection, self._engine)
            return pb.ResumeTradingResponse(state=state), self._switched(
                connection, state, request.request_id
            )

        return _once(connection, "resume", request, pb.ResumeTradingResponse, change)

    @property
    def _is_halted(self) -> bool:
        return self._engine.state.state == risk_pb2.TRADING_STATE_HALTED

    def _now(self) -> int:
        """The data's time; before any data, the wall clock's."""
        return self._engine.time_ns or time.time_ns()

    def _have_surface(self, connection: Connection, snapshot_id: str) -> None:
        # Memory keeps the newest few; one that lags behind these comes back from the table.
        if snapshot_id and not self._engine.has_surface(snapshot_id):
            surface = repository.surface(connection, snapshot_id)
            if surface is not None:
                self._engine.on_surface(surface)

    def _switched(
        self, connection: Connection, state: risk_pb2.RiskState, request_id: str
    ) -> Sequence[Outgoing]:
        repository.add_state(connection, state)
        now = time.time_ns()
        event = envelope(
            service=SERVICE,
            payload=state,
            key=(request_id,),
            time_ns=state.time_ns,
            received_ns=now,
            published_ns=now,
        )
        return [Outgoing(STATES, event)]


def _once(
    connection: Connection,
    kind: str,
    request: Message,
    response_type: type[M],
    change: Callable[[], Outcome[M]],
) -> Outcome[M]:
    """The answer that the request got before, or what `change` does, kept for when it comes again.

    Raises AlreadyExists when the request id was used for something else.
    """
    request_id: str = getattr(request, "request_id")  # noqa: B009 - every mutation's request has one
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    fingerprint = f"{kind}:{digest}"
    known = repository.answer(connection, request_id)
    if known is not None:
        if known.fingerprint != fingerprint:
            raise AlreadyExists("request", request_id)
        return response_type.FromString(known.response), []
    response, outgoing = change()
    answer = StoredAnswer(fingerprint, response.SerializeToString(deterministic=True))
    repository.add_answer(connection, request_id, answer)
    return response, outgoing


def _event(payload: risk_pb2.PortfolioSnapshot | risk_pb2.RiskState, delivered: Delivered) -> event_pb2.Event:
    return envelope(
        service=SERVICE,
        payload=payload,
        cause=delivered.event,
        received_ns=delivered.received_ns,
        published_ns=time.time_ns(),
    )
