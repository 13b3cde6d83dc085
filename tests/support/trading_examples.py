"""Small chains, surfaces, signals and orders for the tests of order and risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.instruments import osi_symbol
from skewline.v1 import (
    chain_pb2,
    common_pb2,
    instrument_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    risk_service_pb2,
    signal_pb2,
    surface_pb2,
)

NEW_YORK = ZoneInfo("America/New_York")
YEAR_NS = 365 * 86_400 * 10**9
EXPIRY = "2019-05-17"
BUY, SELL = common_pb2.SIDE_BUY, common_pb2.SIDE_SELL


def ns(text: str) -> int:
    """Nanoseconds of a New York wall time, `2019-04-25 15:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 10**9


NOW = ns("2019-04-25 15:00")
EXPIRY_NS = ns(f"{EXPIRY} 16:00")


def call(strike: int, expiry: str = EXPIRY) -> str:
    return osi_symbol("SPXW", expiry, True, Decimal(strike))


def put(strike: int, expiry: str = EXPIRY) -> str:
    return osi_symbol("SPXW", expiry, False, Decimal(strike))


def chain(
    snapshot_id: str = "snapshot-1",
    quotes: Mapping[str, tuple[float, float]] | None = None,
    *,
    time_ns: int = NOW,
    spot: float = 2900.0,
    sizes: tuple[float, float] | None = None,
    underlying: str = "SPX",
) -> chain_pb2.OptionChain:
    """A chain of the OSI ids in `quotes` with their bid and ask; `sizes` are bid and ask size of each."""
    held = quotes if quotes is not None else {call(2900): (40.0, 41.0), put(2900): (38.0, 39.0)}
    dates = sorted({_date(name) for name in held})
    made = chain_pb2.OptionChain(
        snapshot_id=snapshot_id,
        underlying=underlying,
        time_ns=time_ns,
        source="test",
        provenance=common_pb2.PROVENANCE_SIMULATED,
        spot=spot,
        exercise=instrument_pb2.EXERCISE_STYLE_EUROPEAN,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
        expiries=[
            chain_pb2.ChainExpiry(
                root="SPXW",
                expiry_date=date,
                expiry_ns=ns(f"{date} 16:00"),
                settlement=instrument_pb2.SETTLEMENT_STYLE_PM,
            )
            for date in dates
        ],
    )
    for name, (bid, ask) in held.items():
        made.expiry_index.append(dates.index(_date(name)))
        made.strike.append(int(name[13:]) / 1000)
        made.is_call.append(name[12] == "C")
        made.bid.append(bid)
        made.ask.append(ask)
        if sizes is not None:
            made.bid_size.append(sizes[0])
            made.ask_size.append(sizes[1])
    return made


def surface(
    snapshot_id: str = "snapshot-1",
    *,
    time_ns: int = NOW,
    spot: float = 2900.0,
    vol: float = 0.15,
    expiries: Sequence[str] = (EXPIRY,),
    status: surface_pb2.FitStatus.ValueType = surface_pb2.FIT_STATUS_GOOD,
    underlying: str = "SPX",
) -> surface_pb2.VolSurface:
    """A surface of flat smiles at `vol`, forward equal to spot, no rate."""
    made = surface_pb2.VolSurface(
        surface_id=f"surface-{snapshot_id}",
        snapshot_id=snapshot_id,
        underlying=underlying,
        time_ns=time_ns,
        provenance=common_pb2.PROVENANCE_SIMULATED,
        spot=spot,
        exercise=instrument_pb2.EXERCISE_STYLE_EUROPEAN,
        atm_vol_30d=vol,
        status=status,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
    )
    for date in expiries:
        expiry_ns = ns(f"{date} 16:00")
        made.slices.add(
            root="SPXW",
            expiry_date=date,
            expiry_ns=expiry_ns,
            settlement=instrument_pb2.SETTLEMENT_STYLE_PM,
            years=(expiry_ns - time_ns) / YEAR_NS,
            forward=spot,
            discount=1.0,
            atm_vol=vol,
            sabr=surface_pb2.SabrFit(alpha=vol, beta=1.0, rho=0.0, nu=1e-6, converged=True),
            status=status,
            strike=[2800.0, 2900.0, 3000.0],
            is_call=[False, True, True],
            bid=[10.0, 40.0, 8.0],
            ask=[11.0, 41.0, 9.0],
            bid_iv=[vol] * 3,
            ask_iv=[vol] * 3,
            mid_iv=[vol] * 3,
            model_iv=[vol] * 3,
        )
    return made


def native_surface(
    names: Sequence[str], snapshot_id: str = "snapshot-1", *, time_ns: int = NOW
) -> surface_pb2.VolSurface:
    """The surface of `surface`, its three quotes under these exchange-native ids."""
    made = surface(snapshot_id, time_ns=time_ns)
    made.slices[0].instrument_id.extend(names)
    return made


def leg(instrument_id: str, side: common_pb2.Side.ValueType = BUY, ratio: int = 1) -> order_pb2.OrderLeg:
    return order_pb2.OrderLeg(instrument_id=instrument_id, side=side, ratio=ratio)


def signal(
    legs: Sequence[order_pb2.OrderLeg] = (),
    *,
    signal_id: str = "signal-1",
    snapshot_id: str = "snapshot-1",
    time_ns: int = NOW,
    edge: float = 100.0,
    edge_stdev: float = 500.0,
    confidence: float = 0.9,
) -> signal_pb2.Signal:
    return signal_pb2.Signal(
        signal_id=signal_id,
        surface_id=f"surface-{snapshot_id}",
        snapshot_id=snapshot_id,
        underlying="SPX",
        time_ns=time_ns,
        strategy=signal_pb2.STRATEGY_VOLATILITY_ARBITRAGE,
        legs=[
            signal_pb2.SignalLeg(instrument_id=one.instrument_id, side=one.side, ratio=one.ratio)
            for one in (legs or [leg(call(2900))])
        ],
        edge=edge,
        edge_stdev=edge_stdev,
        confidence=confidence,
        provenance=common_pb2.PROVENANCE_SIMULATED,
    )


def signal_set(
    *signals: signal_pb2.Signal, snapshot_id: str = "snapshot-1", time_ns: int = NOW
) -> signal_pb2.SignalSet:
    return signal_pb2.SignalSet(
        snapshot_id=snapshot_id,
        surface_id=f"surface-{snapshot_id}",
        underlying="SPX",
        time_ns=time_ns,
        provenance=common_pb2.PROVENANCE_SIMULATED,
        signals=signals,
    )


def approval(intent: risk_pb2.OrderIntent, quantity: int) -> risk_pb2.RiskDecision:
    return risk_pb2.RiskDecision(
        intent_id=intent.intent_id, approved=True, quantity=common_pb2.Decimal(units=quantity)
    )


def refusal(intent: risk_pb2.OrderIntent) -> risk_pb2.RiskDecision:
    check = risk_pb2.RiskCheck(name="MAX_VEGA", limit=1.0, value=2.0, message="2 is more than 1")
    return risk_pb2.RiskDecision(intent_id=intent.intent_id, checks=[check])


def submit(
    legs: Sequence[order_pb2.OrderLeg] = (),
    *,
    request_id: str = "request-1",
    quantity: str = "1",
    limit: str = "41",
    type: order_pb2.OrderType.ValueType = order_pb2.ORDER_TYPE_LIMIT,
    time_in_force: order_pb2.TimeInForce.ValueType = order_pb2.TIME_IN_FORCE_DAY,
) -> order_service_pb2.SubmitOrderRequest:
    return order_service_pb2.SubmitOrderRequest(
        request_id=request_id,
        underlying="SPX",
        legs=legs or [leg(call(2900))],
        type=type,
        time_in_force=time_in_force,
        quantity=from_decimal(Decimal(quantity)),
        limit_price=from_decimal(Decimal(limit)),
    )


def intent(
    legs: Sequence[order_pb2.OrderLeg] = (),
    *,
    intent_id: str = "intent-1",
    signal_id: str = "",
    snapshot_id: str = "snapshot-1",
    quantity: int = 1,
    limit: str = "41",
    edge: float = 100.0,
    edge_stdev: float = 500.0,
    confidence: float = 0.9,
    underlying: str = "SPX",
) -> risk_pb2.OrderIntent:
    return risk_pb2.OrderIntent(
        intent_id=intent_id,
        signal_id=signal_id,
        snapshot_id=snapshot_id,
        underlying=underlying,
        time_ns=NOW,
        legs=legs or [leg(call(2900))],
        limit_price=from_decimal(Decimal(limit)),
        quantity=common_pb2.Decimal(units=quantity),
        edge=edge,
        edge_stdev=edge_stdev,
        confidence=confidence,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
        provenance=common_pb2.PROVENANCE_SIMULATED,
    )


def check_request(
    *intents: risk_pb2.OrderIntent,
    request_id: str = "check-1",
    snapshot_id: str = "snapshot-1",
    time_ns: int = NOW,
) -> risk_service_pb2.CheckIntentsRequest:
    return risk_service_pb2.CheckIntentsRequest(
        request_id=request_id, snapshot_id=snapshot_id, time_ns=time_ns, intents=intents
    )


def fill(
    instrument_id: str,
    side: common_pb2.Side.ValueType,
    quantity: int,
    price: str,
    *,
    fee: str = "0",
    order_id: str = "order-1",
) -> order_pb2.Fill:
    return order_pb2.Fill(
        fill_id=f"{order_id}-{instrument_id}-{side}-{quantity}",
        order_id=order_id,
        underlying="SPX",
        instrument_id=instrument_id,
        side=side,
        quantity=common_pb2.Decimal(units=quantity),
        price=from_decimal(Decimal(price)),
        fee=from_decimal(Decimal(fee)),
        multiplier=common_pb2.Decimal(units=100),
        time_ns=NOW,
        currency="USD",
    )


def batch(
    *fills: order_pb2.Fill,
    orders: Sequence[order_pb2.Order] = (),
    snapshot_id: str = "snapshot-1",
    time_ns: int = NOW,
) -> order_pb2.OrderBatch:
    return order_pb2.OrderBatch(
        snapshot_id=snapshot_id,
        underlying="SPX",
        time_ns=time_ns,
        provenance=common_pb2.PROVENANCE_SIMULATED,
        orders=orders,
        fills=fills,
    )


def _date(name: str) -> str:
    return f"20{name[6:8]}-{name[8:10]}-{name[10:12]}"
