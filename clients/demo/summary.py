"""The figures of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from skewline.clients.demo import wording
from skewline.clients.demo.digest import record_digest
from skewline.clients.demo.record import RunRecord
from skewline.clients.values import decimal_of
from skewline.v1 import chain_pb2, common_pb2, order_pb2, risk_pb2, signal_pb2, surface_pb2


@dataclass(frozen=True, slots=True)
class FitQuality:
    """How well the surfaces of one underlying fit. Errors are SABR's, as vol fractions, failed fits apart."""

    underlying: str
    provenance: str
    surfaces: int
    good: int
    poor: int
    failed: int
    quotes: int
    rmse_median: float
    rmse_max: float
    atm_vol_30d: float
    """Of the last surface that has one."""


@dataclass(frozen=True, slots=True)
class StrategySignals:
    """Signals of one strategy; edge is currency a unit."""

    strategy: str
    signals: int
    edge_median: float
    confidence_median: float


@dataclass(frozen=True, slots=True)
class RejectedChain:
    """A snapshot that was stored and flagged, and not traded."""

    underlying: str
    time: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class CurrencyPnl:
    """Profit and loss in one currency at the end."""

    currency: str
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    net: Decimal
    provenance: str


@dataclass(frozen=True, slots=True)
class LossMeasure:
    """Value at risk and expected shortfall at one confidence, currency."""

    confidence: float
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True, slots=True)
class Risk:
    """Risk of the portfolio at the end; see the sheet of units."""

    equity: float
    delta: float
    gamma: float
    vega: float
    theta: float
    unpriced_positions: int
    value_at_risk: tuple[LossMeasure, ...]
    trading: str


@dataclass(frozen=True, slots=True)
class Hop:
    """Latency of one hop, milliseconds."""

    hop: str
    p50_ms: float
    p99_ms: float
    max_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The figures of a run, each counted from what the services hold."""

    source: str
    provenance: tuple[tuple[str, int], ...]
    """Accepted and rejected snapshots by where they come from."""
    first_time: str
    last_time: str
    elapsed_seconds: float
    chains_seen: int
    chains_accepted: int
    chains_rejected: int
    rejected_chains: tuple[RejectedChain, ...]
    quotes_seen: int
    quotes_rejected: int
    reasons: tuple[tuple[str, int], ...]
    fits: tuple[FitQuality, ...]
    signals: int
    strategies: tuple[StrategySignals, ...]
    orders: int
    orders_by_status: tuple[tuple[str, int], ...]
    denials: tuple[tuple[str, int], ...]
    fills: int
    contracts: Decimal
    open_positions: int
    pnl: tuple[CurrencyPnl, ...]
    risk: Risk | None
    latency: tuple[Hop, ...]
    decision_digest: str

    @property
    def simulated(self) -> bool:
        """Whether any of the data was evolved by a model."""
        return any(label == "SIMULATED" for label, _ in self.provenance)


def summarise(record: RunRecord) -> RunSummary:
    """The figures of `record`."""
    replay = record.replay
    rejected = [c for c in record.chains if c.status == chain_pb2.CHAIN_STATUS_REJECTED]
    times = [c.time_ns for c in record.chains]
    checks = (check for decision in record.decisions for check in decision.checks if not check.passed)
    return RunSummary(
        source=replay.source,
        provenance=_counted(wording.provenance(c.provenance) for c in record.chains),
        first_time=wording.clock(min(times, default=0)),
        last_time=wording.clock(max(times, default=0)),
        elapsed_seconds=replay.elapsed_seconds,
        chains_seen=replay.fed,
        chains_accepted=replay.accepted,
        chains_rejected=replay.rejected,
        rejected_chains=tuple(
            RejectedChain(c.underlying, wording.clock(c.time_ns), c.reason, c.detail) for c in rejected
        ),
        quotes_seen=replay.quotes_seen,
        quotes_rejected=replay.quotes_rejected,
        reasons=tuple(
            (r.reason, r.count) for r in sorted(replay.reasons, key=lambda r: (-r.count, r.reason))
        ),
        fits=_fits(record.surfaces),
        signals=len(record.signals),
        strategies=_strategies(record),
        orders=len(record.orders),
        orders_by_status=_counted(wording.order_status(o.status) for o in record.orders),
        denials=_counted(check.name for check in checks),
        fills=len(record.fills),
        contracts=sum((decimal_of(f.quantity) for f in record.fills), Decimal(0)),
        open_positions=sum(1 for p in record.positions if decimal_of(p.quantity)),
        pnl=_last_pnl(record.pnl),
        risk=_risk(record.portfolios[-1]) if record.portfolios else None,
        latency=tuple(Hop(h.hop, h.p50_ms, h.p99_ms, h.max_ms, h.count) for h in replay.latencies),
        decision_digest=record_digest(record),
    )


def _counted(labels: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0])))


def _fits(surfaces: Iterable[surface_pb2.VolSurface]) -> tuple[FitQuality, ...]:
    by_underlying: dict[str, list[surface_pb2.VolSurface]] = {}
    for surface in surfaces:
        by_underlying.setdefault(surface.underlying, []).append(surface)
    return tuple(_fit(name, fitted) for name, fitted in sorted(by_underlying.items()))


def _fit(underlying: str, surfaces: list[surface_pb2.VolSurface]) -> FitQuality:
    status = Counter(surface.status for surface in surfaces)
    errors = [s.rmse for s in surfaces if s.status != surface_pb2.FIT_STATUS_FAILED and math.isfinite(s.rmse)]
    simulated = any(s.provenance == common_pb2.PROVENANCE_SIMULATED for s in surfaces)
    return FitQuality(
        underlying=underlying,
        provenance=wording.provenance(
            common_pb2.PROVENANCE_SIMULATED if simulated else surfaces[0].provenance
        ),
        surfaces=len(surfaces),
        good=status[surface_pb2.FIT_STATUS_GOOD],
        poor=status[surface_pb2.FIT_STATUS_POOR],
        failed=status[surface_pb2.FIT_STATUS_FAILED],
        quotes=sum(s.quotes for s in surfaces),
        rmse_median=median(errors) if errors else math.nan,
        rmse_max=max(errors, default=math.nan),
        atm_vol_30d=next((s.atm_vol_30d for s in reversed(surfaces) if s.atm_vol_30d > 0), math.nan),
    )


def _strategies(record: RunRecord) -> tuple[StrategySignals, ...]:
    by_strategy: dict[str, list[signal_pb2.Signal]] = {}
    for signal in record.signals:
        by_strategy.setdefault(wording.strategy(signal.strategy), []).append(signal)
    return tuple(
        StrategySignals(name, len(found), median(s.edge for s in found), median(s.confidence for s in found))
        for name, found in sorted(by_strategy.items())
    )


def _last_pnl(points: Iterable[order_pb2.Pnl]) -> tuple[CurrencyPnl, ...]:
    last = {point.currency: point for point in points}
    return tuple(
        CurrencyPnl(
            currency,
            decimal_of(point.realised),
            decimal_of(point.unrealised),
            decimal_of(point.fees),
            decimal_of(point.net),
            wording.provenance(point.provenance),
        )
        for currency, point in sorted(last.items())
    )


def _risk(portfolio: risk_pb2.PortfolioSnapshot) -> Risk:
    greeks = portfolio.greeks
    state = risk_pb2.TradingState.Name(portfolio.state.state).removeprefix("TRADING_STATE_").lower()
    return Risk(
        equity=portfolio.equity,
        delta=greeks.delta,
        gamma=greeks.gamma,
        vega=greeks.vega,
        theta=greeks.theta,
        unpriced_positions=portfolio.unpriced_positions,
        value_at_risk=tuple(
            LossMeasure(v.confidence, v.value_at_risk, v.expected_shortfall) for v in portfolio.value_at_risk
        ),
        trading=state,
    )
