"""RiskService over gRPC: requests checked, operations run in their turn, lists paged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.risk.concurrently import answers
from skewline.servers.risk.engine import CONFIDENCES, RiskEngine
from skewline.servers.risk.intents import validate_request
from skewline.servers.risk.limits import validate_limits
from skewline.servers.risk.operations import RiskOperations
from skewline.servers.risk.surface_arrivals import SurfaceArrivals
from skewline.servers.runtime.errors import Unavailable
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.servers.runtime.streaming import Feed, stream_subscription
from skewline.servers.runtime.subscription import Snapshot, Update
from skewline.servers.runtime.telemetry import context_from
from skewline.servers.runtime.validation import Validation
from skewline.storage.risk import listing
from skewline.storage.risk.listing import DecisionQuery, PortfolioQuery
from skewline.v1 import risk_pb2, risk_service_pb2_grpc
from skewline.v1 import risk_service_pb2 as pb

Context = Any
RiskItem = risk_pb2.PortfolioSnapshot | risk_pb2.RiskState

_LONGEST: Final = 128
_LONGEST_REASON: Final = 500
_LONGEST_HORIZON_DAYS: Final = 250.0
_MOST_LEVELS: Final = 20
_RETRY_AFTER: Final = timedelta(seconds=1)


class RiskServicer(risk_service_pb2_grpc.RiskServiceServicer):
    """The eleven methods of the contract."""

    def __init__(
        self,
        *,
        settings: RiskSettings,
        engine: RiskEngine,
        operations: RiskOperations,
        processor: Processor,
        arrivals: SurfaceArrivals,
        feed: Feed[Any],
        tracer: trace.Tracer,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._operations = operations
        self._processor = processor
        self._arrivals = arrivals
        self._feed = feed
        self._tracer = tracer
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """End the conversations with the order service; it asks again what was not answered."""
        self._draining.set()

    async def CheckIntents(
        self, requests: AsyncIterator[pb.CheckIntentsRequest], context: Context
    ) -> AsyncIterator[pb.CheckIntentsResponse]:
        """Decisions are stored before they are sent; a surface that does not come ends the stream."""
        async for response in answers(requests, self._check, self._draining):
            yield response

    async def GetPortfolio(
        self, request: pb.GetPortfolioRequest, context: Context
    ) -> pb.GetPortfolioResponse:
        """As of the newest order batch, with the kill switch as it is now."""
        portfolio = await self._processor.read(listing.newest_portfolio)
        async with self._processor.turn:
            portfolio = portfolio or self._engine.portfolio()
            portfolio.state.CopyFrom(self._engine.state)
        return pb.GetPortfolioResponse(portfolio=portfolio)

    async def ListPortfolios(
        self, request: pb.ListPortfoliosRequest, context: Context
    ) -> pb.ListPortfoliosResponse:
        """Newest first."""
        query = PortfolioQuery(request.from_ns, request.to_ns)
        page = page_of(request.page_size, request.page_token, repr(query))
        before = int(page.after[0]) if page.after else None
        rows = await self._processor.read(
            lambda connection: listing.portfolios(connection, query, before, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row[0],))
        return pb.ListPortfoliosResponse(
            portfolios=[portfolio for _, portfolio in shown],
            next_page_token=token,
        )

    async def GetValueAtRisk(
        self, request: pb.GetValueAtRiskRequest, context: Context
    ) -> pb.GetValueAtRiskResponse:
        """Of what is held now."""
        v = Validation()
        v.max_length("confidence", request.confidence, _MOST_LEVELS)
        for index, level in enumerate(request.confidence):
            # Written so that NaN fails, too.
            v.check(0.5 < level < 1, f"confidence[{index}]", f"must lie between 0.5 and 1, not {level}")
        v.between("horizon_days", request.horizon_days, 0.0, _LONGEST_HORIZON_DAYS)
        v.raise_if_any()
        levels = list(request.confidence) or list(CONFIDENCES)
        async with self._processor.turn:
            found = self._engine.value_at_risk(levels, request.horizon_days or 1.0)
        return pb.GetValueAtRiskResponse(value_at_risk=found)

    async def ListDecisions(
        self, request: pb.ListDecisionsRequest, context: Context
    ) -> pb.ListDecisionsResponse:
        """Newest first."""
        query = DecisionQuery(request.signal_id, request.refused_only)
        page = page_of(request.page_size, request.page_token, repr(query))
        before = int(page.after[0]) if page.after else None
        rows = await self._processor.read(
            lambda connection: listing.decisions(connection, query, before, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row[0],))
        return pb.ListDecisionsResponse(
            decisions=[decision for _, decision in shown],
            next_page_token=token,
        )

    async def GetLimits(self, request: pb.GetLimitsRequest, context: Context) -> pb.GetLimitsResponse:
        """In force."""
        async with self._processor.turn:
            return pb.GetLimitsResponse(limits=self._engine.limits)

    async def SetLimits(self, request: pb.SetLimitsRequest, context: Context) -> pb.SetLimitsResponse:
        """All of them at once."""
        v = _mutation(request.request_id, request.changed_by)
        if v.present("limits", request.HasField("limits")):
            validate_limits(v.within("limits"), request.limits)
        v.raise_if_any()

        def work(connection: Connection) -> Any:
            return self._operations.set_limits(connection, request)

        async with self._processor.exclusive():
            return await self._processor.transact(work)

    async def GetState(self, request: pb.GetStateRequest, context: Context) -> pb.GetStateResponse:
        """The kill switch."""
        async with self._processor.turn:
            return pb.GetStateResponse(state=self._engine.state)

    async def HaltTrading(self, request: pb.HaltTradingRequest, context: Context) -> pb.HaltTradingResponse:
        """Refuse every intent from now on, and have working orders cancelled."""
        v = _mutation(request.request_id, request.changed_by)
        _reason(v, request.reason)
        v.raise_if_any()

        def work(connection: Connection) -> Any:
            return self._operations.halt(connection, request)

        async with self._processor.exclusive():
            return await self._processor.transact(work)

    async def ResumeTrading(
        self, request: pb.ResumeTradingRequest, context: Context
    ) -> pb.ResumeTradingResponse:
        """Check intents again on their merits."""
        v = _mutation(request.request_id, request.changed_by)
        _reason(v, request.reason)
        v.raise_if_any()

        def work(connection: Connection) -> Any:
            return self._operations.resume(connection, request)

        async with self._processor.exclusive():
            return await self._processor.transact(work)

    async def StreamPortfolio(
        self, requests: AsyncIterator[pb.StreamPortfolioRequest], context: Context
    ) -> AsyncIterator[pb.StreamPortfolioResponse]:
        """Portfolios by underlying of their batch, and every change of the kill switch."""
        items = stream_subscription(self._feed, requests, pb.StreamPortfolioResponse, write=_write)
        async for response in items:
            yield response

    async def _check(self, request: pb.CheckIntentsRequest) -> pb.CheckIntentsResponse:
        validate_request(request)
        with self._tracer.start_as_current_span(
            "risk.check",
            context=context_from(request.traceparent) if request.traceparent else None,
            kind=trace.SpanKind.SERVER,
            attributes={
                "skewline.request_id": request.request_id,
                "skewline.snapshot_id": request.snapshot_id,
                "skewline.intents": len(request.intents),
            },
        ) as span:
            await self._await_surface(request.snapshot_id)

            def work(connection: Connection) -> Any:
                return self._operations.check(connection, request)

            async with self._processor.exclusive():
                response: pb.CheckIntentsResponse = await self._processor.transact(work)
            span.set_attribute("skewline.approved", sum(d.approved for d in response.decisions))
            return response

    async def _await_surface(self, snapshot_id: str) -> None:
        if not snapshot_id:
            return
        try:
            await self._arrivals.wait(snapshot_id, self._settings.surface_wait_s)
        except TimeoutError as error:
            wait = self._settings.surface_wait_s
            message = f"the surface of snapshot {snapshot_id} did not come within {wait:g} s; ask again"
            raise Unavailable(message, _RETRY_AFTER) from error


def _mutation(request_id: str, changed_by: str) -> Validation:
    v = Validation()
    if v.required("request_id", request_id):
        v.max_length("request_id", request_id, _LONGEST)
    if v.required("changed_by", changed_by):
        v.max_length("changed_by", changed_by, _LONGEST)
    return v


def _reason(v: Validation, reason: str) -> None:
    if v.required("reason", reason):
        v.max_length("reason", reason, _LONGEST_REASON)


def _write(response: pb.StreamPortfolioResponse, item: Snapshot[RiskItem] | Update[RiskItem]) -> None:
    content = item.item
    if isinstance(content, risk_pb2.RiskState):
        response.state.CopyFrom(content)
    elif isinstance(item, Snapshot):
        response.snapshot.CopyFrom(content)
    else:
        response.update.CopyFrom(content)
