"""All five services on one server, serving what a test recorded."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from recorded_services import FULL_NAMES, serving
from recorded_signals import BUSY, TIME_NS, RecordedSignals
from splits import dividend, split

from skewline.servers.calibration.grid import grids_of
from skewline.servers.calibration.parameters import check_names, point_of
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.errors import NotFound, Refused
from skewline.servers.runtime.validation import Validation
from skewline.v1 import (
    calibration_service_pb2,
    calibration_service_pb2_grpc,
    chain_pb2,
    common_pb2,
    corporate_action_pb2,
    feed_pb2,
    instrument_pb2,
    market_data_service_pb2,
    market_data_service_pb2_grpc,
    order_book_pb2,
    order_pb2,
    order_service_pb2,
    order_service_pb2_grpc,
    quarantine_pb2,
    risk_pb2,
    risk_service_pb2,
    risk_service_pb2_grpc,
    surface_pb2,
)

Requests = AsyncIterator[Any]
SIMULATED = common_pb2.PROVENANCE_SIMULATED
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def decimal(units: int, nanos: int = 0) -> common_pb2.Decimal:
    return common_pb2.Decimal(units=units, nanos=nanos)


def chain() -> chain_pb2.OptionChain:
    strikes = [2850.0 + 5 * n for n in range(40)]
    expiries = [
        chain_pb2.ChainExpiry(root="SPXW", expiry_date=day, settlement=instrument_pb2.SETTLEMENT_STYLE_PM)
        for day in ("2019-04-26", "2019-05-31")
    ]
    rows = [(i, strike, is_call) for i in (0, 1) for strike in strikes for is_call in (True, False)]
    return chain_pb2.OptionChain(
        snapshot_id="snapshot-1",
        underlying="SPX",
        time_ns=TIME_NS,
        source="recorded",
        provenance=SIMULATED,
        spot=2926.17,
        currency="USD",
        multiplier=decimal(100),
        expiries=expiries,
        expiry_index=[i for i, _, _ in rows],
        strike=[strike for _, strike, _ in rows],
        is_call=[is_call for _, _, is_call in rows],
        bid=[10.0 + i for i, _, _ in rows],
        ask=[10.5 + i for i, _, _ in rows],
    )


def surface() -> surface_pb2.VolSurface:
    strikes = [2800.0, 2900.0, 3000.0]
    vols = [0.155, 0.12, 0.098]
    record = surface_pb2.RecordSmile(
        knot=[math.log(strike / 2930.5) for strike in strikes],
        variance=[0.1 * vol**2 for vol in vols],
        curvature=[0.0] * 3,
        atm_vol=0.114,
        quotes=3,
        inside_band=1.0,
        converged=True,
        status=surface_pb2.FIT_STATUS_GOOD,
    )
    fitted = surface_pb2.VolSlice(
        root="SPXW",
        expiry_date="2019-05-31",
        years=0.1,
        forward=2930.5,
        discount=0.997,
        atm_vol=0.115,
        sabr=surface_pb2.SabrFit(alpha=0.12, beta=1.0, rho=-0.6, nu=1.9, rmse=0.0012, converged=True),
        status=surface_pb2.FIT_STATUS_GOOD,
        strike=strikes,
        is_call=[False, False, True],
        bid_iv=[0.15, 0.118, float("nan")],
        ask_iv=[0.16, 0.122, 0.1],
        mid_iv=vols,
        model_iv=vols,
        inside_band=1.0,
        record=record,
        record_iv=vols,
        checks=[surface_pb2.FitCheck(name="LEE", model=surface_pb2.VOL_MODEL_RECORD, limit=2.0, value=2.5)],
    )
    return surface_pb2.VolSurface(
        surface_id="surface-1",
        snapshot_id="snapshot-1",
        underlying="SPX",
        time_ns=TIME_NS,
        provenance=SIMULATED,
        spot=2926.17,
        slices=[fitted],
        atm_vol_30d=0.117,
        rmse=0.0012,
        status=surface_pb2.FIT_STATUS_GOOD,
        quotes=3,
        models=[
            surface_pb2.ModelQuality(model=surface_pb2.VOL_MODEL_RECORD, slices=1, quotes=3, inside_band=1.0)
        ],
    )


def fill() -> order_pb2.Fill:
    return order_pb2.Fill(
        fill_id="fill-1",
        order_id="order-1",
        instrument_id="SPXW  190426C02900000",
        side=common_pb2.SIDE_BUY,
        quantity=decimal(3),
        price=decimal(28, 600_000_000),
        fee=decimal(1, 950_000_000),
        multiplier=decimal(100),
        time_ns=TIME_NS,
        trace_id=TRACE_ID,
        provenance=SIMULATED,
        currency="USD",
    )


def order_book() -> order_book_pb2.OrderBook:
    return order_book_pb2.OrderBook(
        instrument_id="binance:BTCUSDT",
        time_ns=TIME_NS,
        update_id=77,
        provenance=SIMULATED,
        bid_price=[61837.63, 61837.62],
        bid_quantity=[3.75, 0.5],
        ask_price=[61837.64],
        ask_quantity=[1.25],
        best_bid=61837.63,
        best_ask=61837.64,
        mid=61837.635,
        microprice=61837.6375,
        imbalance=0.5,
        depth_imbalance=0.545,
        complete=False,
    )


def trade_batch() -> order_book_pb2.TradeBatch:
    return order_book_pb2.TradeBatch(
        instrument_id="binance:BTCUSDT",
        provenance=SIMULATED,
        time_ns=[TIME_NS, TIME_NS],
        price=[61837.64, 61837.63],
        quantity=[0.5, 0.25],
        is_buy=[True, False],
        trade_id=[4, 5],
    )


def feed() -> feed_pb2.Feed:
    return feed_pb2.Feed(
        feed="cboe:SPX",
        underlying="SPX",
        state=feed_pb2.FEED_STATE_DOWN,
        reason="UNREACHABLE",
        detail="no route to host",
        since_ns=TIME_NS,
        provenance=common_pb2.PROVENANCE_DELAYED,
        accepted=3,
        gaps=1,
    )


def quarantined() -> quarantine_pb2.QuarantineEntry:
    return quarantine_pb2.QuarantineEntry(
        entry_id="entry-1",
        kind=quarantine_pb2.QUARANTINE_KIND_CONTRACTS,
        reason="CROSSED",
        underlying="SPX",
        snapshot_id="snapshot-1",
        time_ns=TIME_NS,
        source="cboe:SPX.csv",
        contracts=2,
    )


class RecordedMarketData(market_data_service_pb2_grpc.MarketDataServiceServicer):
    """One chain; what is published is accepted; watching a replay of three breaks off `breaks` times."""

    def __init__(self) -> None:
        self.published: list[market_data_service_pb2.PublishChainsRequest] = []
        self.bars: list[chain_pb2.BarSeries] = []
        self.recorded_actions: list[corporate_action_pb2.CorporateAction] = []
        self.too_late = False
        self.breaks = 0

    async def GetChain(self, request: market_data_service_pb2.GetChainRequest, context: Any) -> Any:
        if request.underlying != "SPX" and request.snapshot_id != chain().snapshot_id:
            raise NotFound("underlying", request.underlying)
        summary = chain_pb2.ChainSummary(status=chain_pb2.CHAIN_STATUS_ACCEPTED, provenance=SIMULATED)
        return market_data_service_pb2.GetChainResponse(chain=chain(), summary=summary)

    async def ListChains(self, request: market_data_service_pb2.ListChainsRequest, context: Any) -> Any:
        known = request.underlying == "SPX" and not request.from_ns > TIME_NS
        one = chain_pb2.ChainSummary(snapshot_id=chain().snapshot_id, underlying="SPX", time_ns=TIME_NS)
        return market_data_service_pb2.ListChainsResponse(chains=[one] if known else [])

    async def ApplyRetention(
        self, request: market_data_service_pb2.ApplyRetentionRequest, context: Any
    ) -> Any:
        pb = market_data_service_pb2
        went = pb.ExpiredChains(
            status=chain_pb2.CHAIN_STATUS_REJECTED, keep_days=30.0, snapshots=7, quarantined=41
        )
        return pb.ApplyRetentionResponse(expired=[went])

    async def RecordBars(self, request: market_data_service_pb2.RecordBarsRequest, context: Any) -> Any:
        self.bars.append(request.series)
        return market_data_service_pb2.RecordBarsResponse(
            request_id=request.request_id, added=len(request.series.bars)
        )

    async def RecordCorporateActions(
        self, request: market_data_service_pb2.RecordCorporateActionsRequest, context: Any
    ) -> Any:
        self.recorded_actions += request.corporate_actions
        return market_data_service_pb2.RecordCorporateActionsResponse(
            request_id=request.request_id,
            recorded=request.corporate_actions,
            late=request.corporate_actions if self.too_late else (),
        )

    async def GetRealisedVolatility(
        self, request: market_data_service_pb2.GetRealisedVolatilityRequest, context: Any
    ) -> Any:
        pb = market_data_service_pb2
        if request.underlying != "SPX":
            raise NotFound("underlying", request.underlying)
        return pb.GetRealisedVolatilityResponse(
            vols=[
                pb.RealisedVolatility(estimator=pb.VOLATILITY_ESTIMATOR_YANG_ZHANG, bars=window, vol=0.1375)
                for window in request.windows or [21]
            ],
            bars=25,
            from_ns=TIME_NS,
            to_ns=TIME_NS,
            provenance=SIMULATED,
            origin=chain_pb2.BAR_ORIGIN_SNAPSHOTS,
        )

    async def ListQuarantine(self, request: Any, context: Any) -> Any:
        return market_data_service_pb2.ListQuarantineResponse(entries=[quarantined()])

    async def ListQuarantineCounts(self, request: Any, context: Any) -> Any:
        count = quarantine_pb2.QuarantineCount(
            underlying="SPX", reason="CROSSED", kind=quarantined().kind, entries=1234, contracts=5678
        )
        return market_data_service_pb2.ListQuarantineCountsResponse(counts=[count])

    async def GetQuarantineEntry(
        self, request: market_data_service_pb2.GetQuarantineEntryRequest, context: Any
    ) -> Any:
        if request.entry_id != quarantined().entry_id:
            raise NotFound("quarantine entry", request.entry_id)
        return market_data_service_pb2.GetQuarantineEntryResponse(entry=quarantined(), chain=chain())

    async def ListFeeds(self, request: Any, context: Any) -> Any:
        return market_data_service_pb2.ListFeedsResponse(feeds=[feed()])

    async def GetOrderBook(self, request: market_data_service_pb2.GetOrderBookRequest, context: Any) -> Any:
        if request.instrument_id != "binance:BTCUSDT":
            raise NotFound("order book of", request.instrument_id)
        return market_data_service_pb2.GetOrderBookResponse(
            order_book=order_book(), feed_state=feed_pb2.FEED_STATE_STALE, feed_reason="SEQUENCE"
        )

    async def StreamOrderBooks(self, requests: Requests, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield market_data_service_pb2.StreamOrderBooksResponse(sequence=7, snapshot=order_book())

    async def ListTrades(self, request: market_data_service_pb2.ListTradesRequest, context: Any) -> Any:
        # A page with a trade, then an empty last one.
        more = "" if request.page_token else "more"
        trades = trade_batch() if more else None
        return market_data_service_pb2.ListTradesResponse(trades=trades, next_page_token=more)

    async def StreamTrades(self, requests: Requests, context: Any) -> AsyncIterator[Any]:
        async for _ in requests:
            yield market_data_service_pb2.StreamTradesResponse(sequence=8, update=trade_batch())

    async def StartFeed(self, request: market_data_service_pb2.StartFeedRequest, context: Any) -> Any:
        check = Validation()
        check.check(request.feed.startswith("cboe:"), "feed", "must be VENUE:SYMBOL")
        check.raise_if_any()
        return market_data_service_pb2.StartFeedResponse(feed=feed())

    async def StopFeed(self, request: market_data_service_pb2.StopFeedRequest, context: Any) -> Any:
        raise NotFound("running feed", request.feed)

    async def ListCorporateActions(self, request: Any, context: Any) -> Any:
        return market_data_service_pb2.ListCorporateActionsResponse(corporate_actions=[split(), dividend()])

    async def WatchReplay(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for fed in range(3):
            yield market_data_service_pb2.WatchReplayResponse(replay=market_data_service_pb2.Replay(fed=fed))
            if fed == 1 and self.breaks:
                self.breaks -= 1
                raise BUSY

    async def PublishChains(self, requests: Requests, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            self.published.append(request)
            yield market_data_service_pb2.PublishChainsResponse(
                request_id=request.request_id,
                summary=chain_pb2.ChainSummary(underlying=request.chain.underlying),
            )


class RecordedCalibration(calibration_service_pb2_grpc.CalibrationServiceServicer):
    """One surface; `asked` are the requests for it."""

    def __init__(self) -> None:
        self.asked: list[calibration_service_pb2.GetSurfaceRequest] = []

    async def GetSurface(self, request: calibration_service_pb2.GetSurfaceRequest, context: Any) -> Any:
        self.asked.append(request)
        grids = grids_of(surface(), request.grid) if request.HasField("grid") else []
        return calibration_service_pb2.GetSurfaceResponse(surface=surface(), grids=grids)

    async def ListParameters(
        self, request: calibration_service_pb2.ListParametersRequest, context: Any
    ) -> Any:
        validation = Validation()
        check_names(validation, request.names)
        validation.raise_if_any()
        point = point_of(surface(), request.names, request.years)
        return calibration_service_pb2.ListParametersResponse(points=[point])


class RecordedRisk(risk_service_pb2_grpc.RiskServiceServicer):
    """Limits and a kill switch that hold what they are set to."""

    def __init__(self) -> None:
        self.limits = risk_pb2.RiskLimits(max_vega=1000.0, capital=1e6)
        self.state = risk_pb2.RiskState(state=risk_pb2.TRADING_STATE_ACTIVE)

    async def GetPortfolio(self, request: Any, context: Any) -> Any:
        portfolio = risk_pb2.PortfolioSnapshot(
            time_ns=TIME_NS,
            provenance=SIMULATED,
            underlyings=[risk_pb2.UnderlyingGreeks(underlying="SPX", positions=1)],
            value_at_risk=[risk_pb2.ValueAtRisk(confidence=0.99, horizon_days=1, value_at_risk=1234.5)],
            equity=1e6,
        )
        return risk_service_pb2.GetPortfolioResponse(portfolio=portfolio)

    async def GetLimits(self, request: Any, context: Any) -> Any:
        return risk_service_pb2.GetLimitsResponse(limits=self.limits)

    async def SetLimits(self, request: risk_service_pb2.SetLimitsRequest, context: Any) -> Any:
        check = Validation().within("limits")
        for name, value in request.limits.ListFields():
            check.positive(name.name, value)
        check.raise_if_any()
        self.limits = request.limits
        return risk_service_pb2.SetLimitsResponse(limits=self.limits)

    async def GetState(self, request: Any, context: Any) -> Any:
        return risk_service_pb2.GetStateResponse(state=self.state)

    async def HaltTrading(self, request: risk_service_pb2.HaltTradingRequest, context: Any) -> Any:
        self.state = risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_HALTED,
            reason=request.reason,
            changed_by=request.changed_by,
            time_ns=TIME_NS,
        )
        return risk_service_pb2.HaltTradingResponse(state=self.state)


class RecordedOrders(order_service_pb2_grpc.OrderServiceServicer):
    """Submitted orders work, save those of FOE, which are denied; `drop` ends the stream before an answer."""

    def __init__(self) -> None:
        self.submitted: list[order_service_pb2.SubmitOrderRequest] = []
        self.drop = 0

    def _submit(self, request: order_service_pb2.SubmitOrderRequest) -> order_pb2.Order:
        check = Validation()
        check.positive_decimal("quantity", request.quantity)
        check.raise_if_any()
        if to_decimal(request.quantity) > 1000:
            raise Refused("TOO_LARGE", "quantity is above 1000; send less")
        self.submitted.append(request)
        denied = request.underlying == "FOE"
        return order_pb2.Order(
            order_id=f"order-of-{request.request_id}",
            underlying=request.underlying,
            legs=request.legs,
            type=request.type,
            quantity=request.quantity,
            limit_price=request.limit_price,
            status=order_pb2.ORDER_STATUS_DENIED if denied else order_pb2.ORDER_STATUS_WORKING,
            reason="MAX_VEGA: lower the quantity" if denied else "",
            provenance=SIMULATED,
        )

    async def SubmitOrder(self, request: order_service_pb2.SubmitOrderRequest, context: Any) -> Any:
        return order_service_pb2.SubmitOrderResponse(order=self._submit(request))

    async def StreamOrders(self, requests: Requests, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            if self.drop:
                self.drop -= 1
                return
            identity = request.submit.request_id
            response = order_service_pb2.StreamOrdersResponse(request_id=identity)
            try:
                response.accepted.CopyFrom(self._submit(request.submit))
            except Refused as error:
                response.refusal.code = error.code.value[0]
                response.refusal.message = str(error)
            yield order_service_pb2.StreamOrdersResponse(heartbeat=common_pb2.Heartbeat(sequence=1))
            yield response

    async def ListFills(self, request: Any, context: Any) -> Any:
        return order_service_pb2.ListFillsResponse(fills=[fill()])

    async def ListPositions(self, request: Any, context: Any) -> Any:
        position = order_pb2.Position(
            instrument_id="SPXW  190426C02900000", quantity=decimal(3), currency="USD", provenance=SIMULATED
        )
        return order_service_pb2.ListPositionsResponse(positions=[position])

    async def ListAdjustments(self, request: order_service_pb2.ListAdjustmentsRequest, context: Any) -> Any:
        adjustment = corporate_action_pb2.ContractAdjustment(
            underlying=request.underlying,
            from_instrument_id="AAPL  140719C00645000",
            to_instrument_id="AAPL  140719C00092140",
            from_quantity=decimal(3),
            to_quantity=decimal(21),
            to_multiplier=decimal(100),
            cost=decimal(3612),
            currency="USD",
            time_ns=TIME_NS,
            reason="SPLIT 7:1 of AAPL on 2014-06-09",
        )
        return order_service_pb2.ListAdjustmentsResponse(adjustments=[adjustment])

    async def GetPnl(self, request: Any, context: Any) -> Any:
        pnl = order_pb2.Pnl(
            currency="USD",
            realised=decimal(-1234, -560_000_001),
            unrealised=decimal(2_000_000),
            net=decimal(1_998_765, 439_999_999),
            time_ns=TIME_NS,
            provenance=common_pb2.PROVENANCE_SIMULATED,
        )
        return order_service_pb2.GetPnlResponse(pnl=[pnl])

    async def GetTrace(self, request: order_service_pb2.GetTraceRequest, context: Any) -> Any:
        if (request.fill_id, request.trace_id) not in (("fill-1", ""), ("", TRACE_ID)):
            raise NotFound("fill or order", request.fill_id or request.order_id or request.trace_id)
        spans = [
            order_service_pb2.Span(span_id="b", parent_span_id="a", name="calibration.chain", service="cal"),
            order_service_pb2.Span(
                span_id="a", name="marketdata.snapshot", service="md", start_ns=1, attributes={"spot": "2926"}
            ),
            order_service_pb2.Span(span_id="c", parent_span_id="lost", name="order.fill", start_ns=5),
        ]
        return order_service_pb2.GetTraceResponse(trace_id=TRACE_ID, spans=spans)


@dataclass
class RecordedStack:
    """The five servicers, for looking at what reached them."""

    market_data: RecordedMarketData = field(default_factory=RecordedMarketData)
    calibration: RecordedCalibration = field(default_factory=RecordedCalibration)
    signals: RecordedSignals = field(default_factory=RecordedSignals)
    risk: RecordedRisk = field(default_factory=RecordedRisk)
    orders: RecordedOrders = field(default_factory=RecordedOrders)
    address: str = ""

    def register(self, server: grpc.aio.Server) -> None:
        market_data_service_pb2_grpc.add_MarketDataServiceServicer_to_server(self.market_data, server)
        calibration_service_pb2_grpc.add_CalibrationServiceServicer_to_server(self.calibration, server)
        risk_service_pb2_grpc.add_RiskServiceServicer_to_server(self.risk, server)
        order_service_pb2_grpc.add_OrderServiceServicer_to_server(self.orders, server)
        self.signals.register(server)


@asynccontextmanager
async def recorded_stack(home: Path) -> AsyncIterator[RecordedStack]:
    """All five, served."""
    stack = RecordedStack()
    async with serving(" ".join(FULL_NAMES), stack.register, home) as server:
        stack.address = server.address
        yield stack
