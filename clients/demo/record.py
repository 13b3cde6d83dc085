"""Everything that came out of one run, as the services (or the engines in one process) said it."""

from __future__ import annotations

from dataclasses import dataclass

from skewline.v1 import (
    chain_pb2,
    market_data_service_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    signal_pb2,
    surface_pb2,
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. All sequences are oldest first, by the data's own time."""

    replay: market_data_service_pb2.Replay
    """What was replayed, how far, what was set aside, and how long each hop took."""
    chains: tuple[chain_pb2.ChainSummary, ...]
    """Every snapshot, those that were rejected too."""
    surfaces: tuple[surface_pb2.VolSurface, ...]
    """Every fit; its slices may lack their columns."""
    whole_surfaces: tuple[surface_pb2.VolSurface, ...]
    """The first and the last fit of each underlying, with their columns."""
    signals: tuple[signal_pb2.Signal, ...]
    """Those that passed the filter."""
    orders: tuple[order_pb2.Order, ...]
    """In their state at the end."""
    order_events: tuple[order_pb2.OrderEvent, ...]
    """History of the orders."""
    fills: tuple[order_pb2.Fill, ...]
    """Executions."""
    positions: tuple[order_pb2.Position, ...]
    """Holdings at the end, by instrument_id, closed ones too."""
    pnl: tuple[order_pb2.Pnl, ...]
    """After each order batch, one a currency."""
    portfolios: tuple[risk_pb2.PortfolioSnapshot, ...]
    """After each order batch."""
    decisions: tuple[risk_pb2.RiskDecision, ...]
    """What risk said of each intent."""
    trace: tuple[order_service_pb2.Span, ...] = ()
    """Spans on the way to one fill, by start; empty where the run left none (engines in one process)."""
    traced_fill: str = ""
    """That fill."""
