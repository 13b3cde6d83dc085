"""The risk service's decisions: deterministic, from surfaces, intents and what became of the orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from skewline.servers.risk import intents as intent_rules
from skewline.servers.risk.book import HeldPosition, Reservation, RiskBook, restored
from skewline.servers.risk.decisions import decide, refuse
from skewline.servers.risk.kill_switch import KillSwitch
from skewline.servers.risk.limits import initial_limits
from skewline.servers.risk.option import Option
from skewline.servers.risk.portfolio import PortfolioModel, Valued
from skewline.servers.risk.surface_view import SurfaceView
from skewline.servers.risk.surfaces import Surfaces
from skewline.servers.risk.value_at_risk import Scenarios
from skewline.servers.runtime.corporate_actions import newly_in_effect
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.v1 import corporate_action_pb2, order_pb2, risk_pb2, risk_service_pb2, surface_pb2

CONFIDENCES: Final = (0.95, 0.99)
SNAPSHOTS_COUNTED: Final = 64
"""Newest snapshots whose approvals are counted."""


@dataclass(frozen=True, slots=True)
class RiskEngineState:
    """All that the engine needs to go on after a restart.

    `natives` are the options traded under exchange-native ids. `surfaces` are recent ones by time;
    `valued_with` says, by underlying, on which snapshot's the newest batch was valued; `approved` counts
    approvals by snapshot, oldest first; `actions` are those that positions were adjusted for. `limits` and
    `state` are None at the first start.
    """

    limits: risk_pb2.RiskLimits | None = None
    state: risk_pb2.RiskState | None = None
    positions: Sequence[HeldPosition] = ()
    reservations: Sequence[Reservation] = ()
    natives: Sequence[Option] = ()
    cash: Decimal = Decimal(0)
    peak_equity: float | None = None
    surfaces: Sequence[surface_pb2.VolSurface] = ()
    valued_with: Mapping[str, str] = field(default_factory=dict)
    approved: Mapping[str, int] = field(default_factory=dict)
    actions: Sequence[corporate_action_pb2.CorporateAction] = ()


class RiskEngine:
    """Sizes and checks intents, keeps positions from order batches, values them, holds the kill switch."""

    def __init__(self, settings: RiskSettings) -> None:
        self._settings = settings
        self._scenarios = Scenarios(settings.scenarios)
        self.restore(RiskEngineState())

    def restore(self, state: RiskEngineState) -> None:
        """Begin anew from `state`."""
        self._limits = state.limits or initial_limits(self._settings)
        peak = self._limits.capital if state.peak_equity is None else state.peak_equity
        self._switch = KillSwitch(state.state, peak)
        self._book = restored(state.positions, state.reservations, state.cash, state.natives, state.actions)
        self._surfaces = Surfaces(self._settings.recent_surfaces, state.surfaces, state.valued_with)
        self._approved = dict(state.approved)
        self._adjusted: list[str] = []

    @property
    def limits(self) -> risk_pb2.RiskLimits:
        """Limits in force."""
        return self._limits

    @property
    def state(self) -> risk_pb2.RiskState:
        """The kill switch."""
        return self._switch.state

    @property
    def book(self) -> RiskBook:
        """Positions and reservations."""
        return self._book

    @property
    def peak_equity(self) -> float:
        """Highest equity since the start, or since trading was last resumed."""
        return self._switch.peak_equity

    @property
    def valued_with(self) -> Mapping[str, str]:
        """By underlying, the snapshot on whose surface positions are valued."""
        return {underlying: view.snapshot_id for underlying, view in self._surfaces.valued.items()}

    def valued_ns(self, underlying: str) -> int:
        """Data time of the surface that positions of `underlying` are valued on; 0 before there is one."""
        view = self._surfaces.valued.get(underlying)
        return view.time_ns if view is not None else 0

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first surface."""
        return self._surfaces.time_ns

    def has_surface(self, snapshot_id: str) -> bool:
        """Whether the surface of this snapshot is in hand."""
        return self._surfaces.get(snapshot_id) is not None

    def take_adjusted(self) -> list[str]:
        """Instruments whose positions corporate actions changed since the last call."""
        adjusted, self._adjusted = self._adjusted, []
        return adjusted

    # --- events

    def on_surface(self, surface: surface_pb2.VolSurface) -> None:
        """Take a surface; of an underlying the newest few are kept."""
        self._surfaces.take(surface)

    def check(self, request: risk_service_pb2.CheckIntentsRequest) -> list[risk_pb2.RiskDecision]:
        """Size and check each intent in order; the approved are reserved until their orders are final."""
        self._adjust_on(request.snapshot_id)
        models: dict[str, PortfolioModel] = {}
        return [self._decide(intent, request, models) for intent in request.intents]

    def on_orders(self, batch: order_pb2.OrderBatch) -> risk_pb2.PortfolioSnapshot:
        """Take what became of orders; returns the portfolio on the surface of the batch's snapshot.

        A loss from the peak beyond `max_drawdown` trips the kill switch: the snapshot's state says so.
        """
        self._adjust_on(batch.snapshot_id)
        for fill in batch.fills:
            self._book.fill(fill)
        for order in batch.orders:
            self._book.order(order)
        if not self._book.is_before_action(batch.underlying, batch.time_ns):
            self._surfaces.value_on(batch.snapshot_id)
        valued = self._model(None).value()
        self._book.settle_prices(valued.last_prices)
        self._switch.watch(valued.equity, self._limits.max_drawdown, batch.time_ns)
        return self._snapshot(valued, batch)

    # --- questions

    def portfolio(self) -> risk_pb2.PortfolioSnapshot:
        """The portfolio now."""
        return self._snapshot(self._model(None).value(), order_pb2.OrderBatch(time_ns=self.time_ns))

    def value_at_risk(self, confidences: Sequence[float], horizon_days: float) -> list[risk_pb2.ValueAtRisk]:
        """Value at risk of what is held now, one a confidence level; `horizon_days` in trading days."""
        profit = self._model(None).value(horizon_days).profit
        return [self._scenarios.measure(profit, level, horizon_days) for level in confidences]

    # --- limits and kill switch

    def set_limits(self, limits: risk_pb2.RiskLimits) -> None:
        """Put other limits in force; validated before."""
        # Equity moves with the capital: the loss from the peak must not.
        self._switch.peak_equity += limits.capital - self._limits.capital
        self._limits = limits

    def halt(self, reason: str, by: str, time_ns: int) -> risk_pb2.RiskState:
        """Trip the kill switch."""
        self._switch.halt(reason, by, time_ns)
        return self.state

    def resume(self, reason: str, by: str, time_ns: int) -> risk_pb2.RiskState:
        """Let trading go on; the drawdown counts from the equity now."""
        self._switch.resume(reason, by, time_ns, self._model(None).value().equity)
        return self.state

    # --- parts

    def _decide(
        self,
        intent: risk_pb2.OrderIntent,
        request: risk_service_pb2.CheckIntentsRequest,
        models: dict[str, PortfolioModel],
    ) -> risk_pb2.RiskDecision:
        wrong = intent_rules.invalid(intent)
        if wrong is not None:
            return refuse(intent.intent_id, wrong, request.time_ns)
        view = self._surfaces.to_check(request.snapshot_id, intent.underlying)
        model = models.setdefault(intent.underlying, self._model(view))
        trade = model.trade(intent, view)
        snapshot_id = request.snapshot_id or intent.snapshot_id
        approved = self._approved.get(snapshot_id, 0)
        decision = decide(trade, model.standing(intent, view, self.state, request.time_ns, approved))
        if decision.approved:
            self._book.learn(trade.options)
            self._book.reserve(intent, to_decimal(decision.quantity))
            self._count(snapshot_id)
        return decision

    def _adjust_on(self, snapshot_id: str) -> None:
        """Adjust positions for what took effect between the surface they are valued on and this one's."""
        view = self._surfaces.get(snapshot_id)
        if view is None:
            return
        actions = newly_in_effect(
            view.surface.corporate_actions, view.underlying, self.valued_ns, view.time_ns
        )
        for action in actions:
            if action.action_id not in self._book.actions:
                self._adjusted += self._book.adjust(action)
                # Contracts after a split have no value on a surface before it.
                self._surfaces.value_on(snapshot_id)

    def _count(self, snapshot_id: str) -> None:
        self._approved[snapshot_id] = self._approved.pop(snapshot_id, 0) + 1
        for oldest in list(self._approved)[:-SNAPSHOTS_COUNTED]:
            del self._approved[oldest]

    def _snapshot(self, valued: Valued, batch: order_pb2.OrderBatch) -> risk_pb2.PortfolioSnapshot:
        return risk_pb2.PortfolioSnapshot(
            snapshot_id=batch.snapshot_id,
            underlying=batch.underlying,
            time_ns=batch.time_ns,
            provenance=batch.provenance,
            greeks=valued.greeks,
            underlyings=valued.underlyings,
            value_at_risk=[self._scenarios.measure(valued.profit, level, 1.0) for level in CONFIDENCES],
            state=self.state,
            positions=valued.positions,
            unpriced_positions=valued.unpriced,
            equity=valued.equity,
        )

    def _model(self, view: SurfaceView | None) -> PortfolioModel:
        """The portfolio's model; `view`, where given, is used for its underlying."""
        views = self._surfaces.valued if view is None else {**self._surfaces.valued, view.underlying: view}
        return PortfolioModel(self._settings, self._scenarios, self._limits, self._book, views)
