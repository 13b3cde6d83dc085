"""The five engines in the order in which the services run them, with nothing between them."""

from __future__ import annotations

from dataclasses import dataclass

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.rates.opening import rates_of
from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.order.engine import OrderEngine
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.settings import Settings
from skewline.servers.signal.engine import SignalEngine
from skewline.v1 import chain_pb2, event_pb2, order_pb2, risk_pb2, risk_service_pb2, signal_pb2, surface_pb2


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that follows from one accepted snapshot."""

    chain: chain_pb2.OptionChain
    surface: surface_pb2.VolSurface
    signal_set: signal_pb2.SignalSet
    decisions: tuple[risk_pb2.RiskDecision, ...]
    order_batch: order_pb2.OrderBatch
    portfolio: risk_pb2.PortfolioSnapshot
    risk_state: risk_pb2.RiskState | None
    """Set when the snapshot tripped the kill switch."""
    halt_batch: order_pb2.OrderBatch | None
    """The cancellations that the kill switch caused; `portfolio` is then the one after them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one snapshot."""

    summary: chain_pb2.ChainSummary
    alert: event_pb2.Alert | None
    consequences: Consequences | None
    """None when the snapshot was rejected as a whole."""


class Pipeline:
    """Feeds snapshots through the engines; the decisions are those of the services on the same input."""

    def __init__(self, settings: Settings) -> None:
        self.marketdata = MarketDataEngine()
        self.calibration = CalibrationEngine(settings.calibration, rates=rates_of(settings.calibration.rates))
        self.signal = SignalEngine(settings.signal)
        self.risk = RiskEngine(settings.risk)
        self.order = OrderEngine(settings.order)

    def feed(self, chain: chain_pb2.OptionChain) -> Step:
        """Take `chain` (as a source made it) through all five engines."""
        outcome = self.marketdata.on_chain(chain)
        if outcome.chain is None:
            return Step(outcome.summary, outcome.alert, None)
        return Step(outcome.summary, outcome.alert, self._trade(outcome.chain))

    def _trade(self, chain: chain_pb2.OptionChain) -> Consequences:
        surface = self.calibration.on_chain(chain)
        signal_set = self.signal.on_surface(surface, "")
        self.risk.on_surface(surface)
        self.order.on_chain(chain)
        intents = self.order.propose(signal_set)
        decisions = (
            self.risk.check(
                risk_service_pb2.CheckIntentsRequest(
                    request_id=derive_id("check", chain.snapshot_id),
                    snapshot_id=chain.snapshot_id,
                    time_ns=chain.time_ns,
                    intents=intents,
                )
            )
            if intents
            else []
        )
        batch = self.order.on_decisions(signal_set, decisions, "")
        state = self.risk.state
        portfolio = self.risk.on_orders(batch)
        tripped = self.risk.state if self.risk.state != state else None
        halt_batch = None
        if tripped is not None:
            halt_batch = self.order.on_halt(
                tripped, chain.time_ns, snapshot_id=chain.snapshot_id, underlying=chain.underlying
            )
            portfolio = self.risk.on_orders(halt_batch)
        return Consequences(
            chain, surface, signal_set, tuple(decisions), batch, portfolio, tripped, halt_batch
        )
