"""The risk service's decisions: deterministic, from surfaces, intents and what became of the orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from skewline.servers.risk import intents as intent_rules
from skewline.servers.risk.book import HeldPosition, Reservation, RiskBook, restored
from skewline.servers.risk.checks.catalogue import CHECKS
from skewline.servers.risk.limits import initial_limits
from skewline.servers.risk.portfolio import PortfolioModel, Valued
from skewline.servers.risk.sizing import Size, given, size
from skewline.servers.risk.surface_view import SurfaceView
from skewline.servers.risk.value_at_risk import Scenarios
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.v1 import order_pb2, risk_pb2, risk_service_pb2, surface_pb2

CONFIDENCES: Final = (0.95, 0.99)
_BY_RISK: Final = "risk"
SNAPSHOTS_COUNTED: Final = 64
"""Newest snapshots whose approvals are counted."""


@dataclass(frozen=True, slots=True)
class RiskEngineState:
    """All that the engine needs to go on after a restart.

    `surfaces` are recent ones by time; `valued_with` says, by underlying, on which snapshot's the newest
    batch was valued; `approved` counts approvals by snapshot, oldest first. `limits` and `state` are None at
    the first start.
    """

    limits: risk_pb2.RiskLimits | None = None
    state: risk_pb2.RiskState | None = None
    positions: Sequence[HeldPosition] = ()
    reservations: Sequence[Reservation] = ()
    cash: Decimal = Decimal(0)
    peak_equity: float | None = None
    surfaces: Sequence[surface_pb2.VolSurface] = ()
    valued_with: Mapping[str, str] = field(default_factory=dict)
    approved: Mapping[str, int] = field(default_factory=dict)


class RiskEngine:
    """Sizes and checks intents, keeps positions from order batches, values them, holds the kill switch."""

    def __init__(self, settings: RiskSettings) -> None:
        self._settings = settings
        self._scenarios = Scenarios(settings.scenarios)
        self.restore(RiskEngineState())

    @property
    def limits(self) -> risk_pb2.RiskLimits:
        """Limits in force."""
        return self._limits

    @property
    def state(self) -> risk_pb2.RiskState:
        """The kill switch."""
        return self._state

    @property
    def book(self) -> RiskBook:
        """Positions and reservations."""
        return self._book

    @property
    def peak_equity(self) -> float:
        """Highest equity since the start, or since trading was last resumed."""
        return self._peak

    @property
    def valued_with(self) -> Mapping[str, str]:
        """By underlying, the snapshot on whose surface positions are valued."""
        return {underlying: view.snapshot_id for underlying, view in self._valued.items()}

    def valued_ns(self, underlying: str) -> int:
        """Data time of the surface that positions of `underlying` are valued on; 0 before there is one."""
        view = self._valued.get(underlying)
        return view.time_ns if view is not None else 0

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first surface."""
        return max((view.time_ns for view in self._newest.values()), default=0)

    def restore(self, state: RiskEngineState) -> None:
        """Begin anew from `state`."""
        self._limits = state.limits or initial_limits(self._settings)
        self._state = state.state or risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_ACTIVE, reason="first start", changed_by=_BY_RISK
        )
        self._book = restored(state.positions, state.reservations, state.cash)
        self._peak = self._limits.capital if state.peak_equity is None else state.peak_equity
        self._recent: dict[str, SurfaceView] = {}
        self._newest: dict[str, SurfaceView] = {}
        self._valued: dict[str, SurfaceView] = {}
        views = [SurfaceView(surface) for surface in state.surfaces]
        for view in views:
            if state.valued_with.get(view.underlying) == view.snapshot_id:
                self._valued[view.underlying] = view
            self._take(view)
        self._approved = dict(state.approved)

    # --- surfaces

    def on_surface(self, surface: surface_pb2.VolSurface) -> None:
        """Take a surface; of an underlying the newest few are kept."""
        self._take(SurfaceView(surface))

    def _take(self, view: SurfaceView) -> None:
        self._recent[view.snapshot_id] = view
        newest = self._newest.get(view.underlying)
        if newest is None or view.time_ns >= newest.time_ns:
            self._newest[view.underlying] = view
        kept = [key for key, other in self._recent.items() if other.underlying == view.underlying]
        for key in kept[: -self._settings.recent_surfaces]:
            del self._recent[key]

    def has_surface(self, snapshot_id: str) -> bool:
        """Whether the surface of this snapshot is in hand."""
        return snapshot_id in self._recent

    # --- intents

    def check(self, request: risk_service_pb2.CheckIntentsRequest) -> list[risk_pb2.RiskDecision]:
        """Size and check each intent in order; the approved are reserved until their orders are final."""
        models: dict[str, PortfolioModel] = {}
        return [self._decide(intent, request, models) for intent in request.intents]

    def _decide(
        self,
        intent: risk_pb2.OrderIntent,
        request: risk_service_pb2.CheckIntentsRequest,
        models: dict[str, PortfolioModel],
    ) -> risk_pb2.RiskDecision:
        wrong = intent_rules.invalid(intent)
        if wrong is not None:
            return risk_pb2.RiskDecision(
                intent_id=intent.intent_id,
                quantity=from_decimal(Decimal(0)),
                checks=[wrong],
                time_ns=request.time_ns,
            )
        view = self._view_for(request.snapshot_id, intent.underlying)
        model = models.setdefault(intent.underlying, self._model(view))
        trade = model.trade(intent, view)
        snapshot_id = request.snapshot_id or intent.snapshot_id
        standing = model.standing(
            intent, view, self._state, request.time_ns, self._approved.get(snapshot_id, 0)
        )
        chosen = given(intent.quantity.units) if intent.quantity.units else size(trade, standing, CHECKS)
        checks = [check.evaluate(trade, standing, float(max(chosen.units, 1))) for check in CHECKS]
        checks = [intent_rules.valid(), *checks, chosen.check()]
        approved = all(check.passed for check in checks)
        if approved:
            self._book.reserve(intent, Decimal(chosen.units))
            self._count(snapshot_id)
        return _decision(intent, chosen, checks, approved, request.time_ns)

    def _view_for(self, snapshot_id: str, underlying: str) -> SurfaceView | None:
        if not snapshot_id:
            return self._newest.get(underlying)
        view = self._recent.get(snapshot_id)
        if view is not None and view.underlying == underlying:
            return view
        return self._valued.get(underlying)

    def _count(self, snapshot_id: str) -> None:
        self._approved[snapshot_id] = self._approved.pop(snapshot_id, 0) + 1
        for oldest in list(self._approved)[:-SNAPSHOTS_COUNTED]:
            del self._approved[oldest]

    # --- orders

    def on_orders(self, batch: order_pb2.OrderBatch) -> risk_pb2.PortfolioSnapshot:
        """Take what became of orders; returns the portfolio on the surface of the batch's snapshot.

        A loss from the peak beyond `max_drawdown` trips the kill switch: the snapshot's state says so.
        """
        for fill in batch.fills:
            self._book.fill(fill)
        for order in batch.orders:
            self._book.order(order)
        view = self._recent.get(batch.snapshot_id)
        if view is not None:
            self._valued[view.underlying] = view
        valued = self._model(None).value()
        self._book.settle_prices(valued.last_prices)
        self._watch_drawdown(valued.equity, batch.time_ns)
        return self._snapshot(valued, batch)

    def portfolio(self) -> risk_pb2.PortfolioSnapshot:
        """The portfolio now."""
        return self._snapshot(self._model(None).value(), order_pb2.OrderBatch(time_ns=self.time_ns))

    def value_at_risk(self, confidences: Sequence[float], horizon_days: float) -> list[risk_pb2.ValueAtRisk]:
        """Value at risk of what is held now, one a confidence level; `horizon_days` in trading days."""
        profit = self._model(None).value(horizon_days).profit
        return [self._scenarios.measure(profit, level, horizon_days) for level in confidences]

    def _watch_drawdown(self, equity: float, time_ns: int) -> None:
        self._peak = max(self._peak, equity)
        loss = self._peak - equity
        if loss > self._limits.max_drawdown and self._state.state != risk_pb2.TRADING_STATE_HALTED:
            reason = f"MAX_DRAWDOWN: {loss:,.2f} below the peak, more than {self._limits.max_drawdown:,.2f}"
            self.halt(reason, _BY_RISK, time_ns)

    def _snapshot(self, valued: Valued, batch: order_pb2.OrderBatch) -> risk_pb2.PortfolioSnapshot:
        return risk_pb2.PortfolioSnapshot(
            snapshot_id=batch.snapshot_id,
            underlying=batch.underlying,
            time_ns=batch.time_ns,
            provenance=batch.provenance,
            greeks=valued.greeks,
            underlyings=valued.underlyings,
            value_at_risk=[self._scenarios.measure(valued.profit, level, 1.0) for level in CONFIDENCES],
            state=self._state,
            positions=valued.positions,
            unpriced_positions=valued.unpriced,
            equity=valued.equity,
        )

    def _model(self, view: SurfaceView | None) -> PortfolioModel:
        """The portfolio's model; `view`, where given, is used for its underlying."""
        views = self._valued if view is None else {**self._valued, view.underlying: view}
        return PortfolioModel(self._settings, self._scenarios, self._limits, self._book, views)

    # --- limits and kill switch

    def set_limits(self, limits: risk_pb2.RiskLimits) -> None:
        """Put other limits in force; validated before."""
        # Equity moves with the capital: the loss from the peak must not.
        self._peak += limits.capital - self._limits.capital
        self._limits = limits

    def halt(self, reason: str, by: str, time_ns: int) -> risk_pb2.RiskState:
        """Trip the kill switch."""
        self._state = risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_HALTED, reason=reason, changed_by=by, time_ns=time_ns
        )
        return self._state

    def resume(self, reason: str, by: str, time_ns: int) -> risk_pb2.RiskState:
        """Let trading go on; the drawdown counts from the equity now."""
        self._peak = self._model(None).value().equity
        self._state = risk_pb2.RiskState(
            state=risk_pb2.TRADING_STATE_ACTIVE, reason=reason, changed_by=by, time_ns=time_ns
        )
        return self._state


def _decision(
    intent: risk_pb2.OrderIntent,
    chosen: Size,
    checks: Sequence[risk_pb2.RiskCheck],
    approved: bool,
    time_ns: int,
) -> risk_pb2.RiskDecision:
    return risk_pb2.RiskDecision(
        intent_id=intent.intent_id,
        approved=approved,
        quantity=from_decimal(Decimal(chosen.units if approved else 0)),
        checks=checks,
        kelly_fraction=chosen.kelly_fraction,
        raw_size=chosen.raw,
        bound_by=chosen.bound_by,
        time_ns=time_ns,
    )
