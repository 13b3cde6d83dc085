"""A small run, made up: two underlyings, one of them simulated, with everything that a run can have."""

import math

from skewline.clients.demo.record import RunRecord
from skewline.v1 import (
    chain_pb2,
    common_pb2,
    instrument_pb2,
    market_data_service_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    signal_pb2,
    surface_pb2,
)

DAY_NS = 86_400 * 10**9
START_NS = 1_556_218_800 * 10**9
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def whole(units: int, nanos: int = 0) -> common_pb2.Decimal:
    """An exact number."""
    return common_pb2.Decimal(units=units, nanos=nanos)


def vol_slice(root: str, days: int, *, points: int = 9, am: bool = False) -> surface_pb2.VolSlice:
    """A smile of `points` strikes round 100; one bid vol is missing."""
    strikes = [80.0 + 40.0 * i / (points - 1) for i in range(points)]
    mid = [0.2 + 0.4 * math.log(k / 100.0) ** 2 for k in strikes]
    return surface_pb2.VolSlice(
        root=root,
        expiry_date="2019-06-21",
        settlement=instrument_pb2.SETTLEMENT_STYLE_AM if am else instrument_pb2.SETTLEMENT_STYLE_PM,
        years=days / 365,
        forward=100.0,
        discount=0.99,
        atm_vol=0.2,
        sabr=surface_pb2.SabrFit(alpha=0.2, beta=1.0, rho=-0.3, nu=0.8, rmse=0.001, converged=True),
        status=surface_pb2.FIT_STATUS_GOOD,
        strike=strikes,
        is_call=[k > 100 for k in strikes],
        bid_iv=[math.nan, *(v - 0.004 for v in mid[1:])],
        ask_iv=[v + 0.004 for v in mid],
        mid_iv=mid,
        model_iv=[v + 0.0005 for v in mid],
        heston_iv=[v - 0.0005 for v in mid],
    )


def surface(
    underlying: str, step: int, provenance: common_pb2.Provenance.ValueType
) -> surface_pb2.VolSurface:
    """A surface with an AM, a PM and two later expiries."""
    return surface_pb2.VolSurface(
        surface_id=f"surface-{underlying}-{step}",
        snapshot_id=f"snapshot-{underlying}-{step}",
        underlying=underlying,
        time_ns=START_NS + step * DAY_NS,
        provenance=provenance,
        spot=100.0,
        slices=[
            vol_slice(underlying, 30, am=True),
            vol_slice(f"{underlying}W", 30),
            vol_slice(underlying, 90),
            vol_slice(underlying, 180),
        ],
        heston=surface_pb2.HestonFit(
            v0=0.04, kappa=2.0, theta=0.05, sigma=0.5, rho=-0.7, rmse=0.002, quotes=36,
            status=surface_pb2.FIT_STATUS_GOOD,
        ),
        atm_vol_30d=0.2 + 0.002 * step,
        rmse=0.001 * (1 + step),
        status=surface_pb2.FIT_STATUS_GOOD,
        quotes=36,
    )  # fmt: skip


def signal(number: int, *, edge: float = 12.5) -> signal_pb2.Signal:
    """One signal with a text in it that would be markup."""
    return signal_pb2.Signal(
        signal_id=f"signal-{number}",
        snapshot_id=f"snapshot-SPX-{number}",
        underlying="SPX",
        time_ns=START_NS + number * DAY_NS,
        strategy=signal_pb2.STRATEGY_VOLATILITY_ARBITRAGE,
        legs=[signal_pb2.SignalLeg(instrument_id="SPX   190621C00100000", side=common_pb2.SIDE_BUY, ratio=1)],
        edge=edge,
        edge_vol=0.01,
        confidence=0.8,
        trace_id=TRACE_ID,
        explanation="ask <b>below</b> the fitted & fair vol",
        provenance=common_pb2.PROVENANCE_RECORDED,
    )


def order(number: int) -> order_pb2.Order:
    """A filled order of two units."""
    return order_pb2.Order(
        order_id=f"order-{number}",
        signal_id=f"signal-{number}",
        underlying="SPX",
        legs=[order_pb2.OrderLeg(instrument_id="SPX   190621C00100000", side=common_pb2.SIDE_BUY, ratio=1)],
        type=order_pb2.ORDER_TYPE_LIMIT,
        quantity=whole(2),
        filled_quantity=whole(2),
        limit_price=whole(3, 50_000_000),
        average_price=whole(3),
        status=order_pb2.ORDER_STATUS_FILLED,
        created_ns=START_NS + number * DAY_NS,
        updated_ns=START_NS + number * DAY_NS,
        trace_id=TRACE_ID,
    )


def order_event(number: int, sequence: int) -> order_pb2.OrderEvent:
    """One step of an order."""
    return order_pb2.OrderEvent(
        event_id=f"event-{number}-{sequence}",
        order_id=f"order-{number}",
        sequence=sequence,
        time_ns=START_NS + number * DAY_NS,
        type=order_pb2.ORDER_EVENT_TYPE_FILL,
        to_status=order_pb2.ORDER_STATUS_FILLED,
    )


def fill(number: int) -> order_pb2.Fill:
    """The fill of an order."""
    return order_pb2.Fill(
        fill_id=f"fill-{number}",
        order_id=f"order-{number}",
        underlying="SPX",
        instrument_id="SPX   190621C00100000",
        side=common_pb2.SIDE_BUY,
        quantity=whole(2),
        price=whole(3),
        fee=whole(1, 300_000_000),
        multiplier=whole(100),
        time_ns=START_NS + number * DAY_NS,
        trace_id=TRACE_ID,
        provenance=common_pb2.PROVENANCE_RECORDED,
        currency="USD",
    )


def span(number: int, parent: int | None, name: str, service: str) -> order_service_pb2.Span:
    """A span of one millisecond that starts `number` milliseconds after the quote."""
    return order_service_pb2.Span(
        trace_id=TRACE_ID,
        span_id=f"{number:016x}",
        parent_span_id="" if parent is None else f"{parent:016x}",
        name=name,
        service=service,
        process_id=100 + number,
        start_ns=START_NS + number * 1_000_000,
        end_ns=START_NS + (number + 1) * 1_000_000,
    )


def replay() -> market_data_service_pb2.Replay:
    """A completed replay."""
    return market_data_service_pb2.Replay(
        replay_id="replay",
        source="cboe:<chains>",
        status=market_data_service_pb2.REPLAY_STATUS_COMPLETED,
        total=5,
        fed=5,
        accepted=4,
        rejected=1,
        quotes_seen=1000,
        quotes_rejected=70,
        reasons=[
            common_pb2.ReasonCount(reason="CROSSED", count=50),
            common_pb2.ReasonCount(reason="NO_BID", count=20),
        ],
        elapsed_seconds=3.5,
        latencies=[
            market_data_service_pb2.HopLatency(hop="calibration", p50_ms=80, p99_ms=120, max_ms=130, count=4),
            market_data_service_pb2.HopLatency(hop="total", p50_ms=120, p99_ms=190, max_ms=200, count=4),
        ],
    )


def chain(underlying: str, step: int, provenance: common_pb2.Provenance.ValueType) -> chain_pb2.ChainSummary:
    """An accepted snapshot."""
    return chain_pb2.ChainSummary(
        snapshot_id=f"snapshot-{underlying}-{step}",
        underlying=underlying,
        time_ns=START_NS + step * DAY_NS,
        source="made up",
        provenance=provenance,
        status=chain_pb2.CHAIN_STATUS_ACCEPTED,
        quotes=250,
    )


def portfolio(step: int) -> risk_pb2.PortfolioSnapshot:
    """The portfolio after a step."""
    return risk_pb2.PortfolioSnapshot(
        snapshot_id=f"snapshot-SPX-{step}",
        time_ns=START_NS + step * DAY_NS,
        greeks=risk_pb2.Greeks(delta=120.0 - step, gamma=4.0, vega=900.0, theta=-35.0),
        value_at_risk=[
            risk_pb2.ValueAtRisk(
                confidence=0.95, horizon_days=1, value_at_risk=400.0, expected_shortfall=520.0
            ),
            risk_pb2.ValueAtRisk(
                confidence=0.99, horizon_days=1, value_at_risk=600.0, expected_shortfall=710.0
            ),
        ],
        state=risk_pb2.RiskState(state=risk_pb2.TRADING_STATE_ACTIVE),
        positions=1,
        equity=1_000_000.0,
    )


def run_record() -> RunRecord:
    """The whole run."""
    recorded, simulated = common_pb2.PROVENANCE_RECORDED, common_pb2.PROVENANCE_SIMULATED
    surfaces = (
        surface("SPX", 0, recorded),
        surface("VIX", 0, simulated),
        surface("SPX", 1, recorded),
        surface("VIX", 1, simulated),
    )
    holiday = chain("SPX", 2, recorded)
    holiday.status = chain_pb2.CHAIN_STATUS_REJECTED
    holiday.reason = "MARKET_HOLIDAY"
    holiday.detail = "2019-05-27 is a holiday"
    return RunRecord(
        replay=replay(),
        chains=(
            chain("SPX", 0, recorded), chain("VIX", 0, simulated), chain("SPX", 1, recorded),
            chain("VIX", 1, simulated), holiday,
        ),
        surfaces=surfaces,
        whole_surfaces=surfaces,
        signals=(signal(0), signal(1)),
        orders=(order(0), order(1)),
        order_events=(order_event(0, 1), order_event(0, 2), order_event(1, 1)),
        fills=(fill(0), fill(1)),
        positions=(
            order_pb2.Position(
                instrument_id="SPX   190621C00100000", underlying="SPX", quantity=whole(4),
                average_price=whole(3), cost=whole(1200),
                mark=whole(3, 100_000_000), market_value=whole(1240),
                unrealised_pnl=whole(40), fees=whole(2, 600_000_000), multiplier=whole(100), currency="USD",
            ),
        ),
        pnl=tuple(
            order_pb2.Pnl(
                currency="USD", realised=whole(0), unrealised=whole(20 * (1 + step)), fees=whole(1 + step),
                net=whole(19 * (1 + step)), time_ns=START_NS + step * DAY_NS,
                provenance=(common_pb2.PROVENANCE_RECORDED, common_pb2.PROVENANCE_SIMULATED)[step],
            )
            for step in range(2)
        ),
        portfolios=(portfolio(0), portfolio(1)),
        decisions=(
            risk_pb2.RiskDecision(
                intent_id="order-0", approved=False,
                checks=[risk_pb2.RiskCheck(name="MAX_VEGA", passed=False, limit=1, value=2, unit="USD")],
            ),
        ),
        trace=(
            span(0, None, "marketdata.feed", "marketdata"),
            span(1, 0, "calibration.chain", "calibration"),
            span(2, 1, "signal.surface", "signal"),
            span(3, 2, "order.signal_set", "order"),
            span(4, 3, "risk.check", "risk"),
            span(5, 3, "broker.fill", "order"),
        ),
        traced_fill="fill-1",
    )  # fmt: skip
