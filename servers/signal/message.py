"""Ideas as the contract's signals."""

from __future__ import annotations

import math

from skewline.servers.runtime.identity import derive_id
from skewline.servers.signal.idea import Idea
from skewline.servers.signal.view import SurfaceView
from skewline.v1 import common_pb2, signal_pb2


def legs_text(legs: tuple[signal_pb2.SignalLeg, ...]) -> str:
    """The structure in one text: the same for the same legs."""
    return ";".join(f"{leg.side}:{leg.ratio}:{leg.instrument_id}" for leg in legs)


def opposite_text(legs: tuple[signal_pb2.SignalLeg, ...]) -> str:
    """The text of the structure with bought and sold exchanged."""
    turned = {common_pb2.SIDE_BUY: common_pb2.SIDE_SELL, common_pb2.SIDE_SELL: common_pb2.SIDE_BUY}
    return ";".join(f"{turned[leg.side]}:{leg.ratio}:{leg.instrument_id}" for leg in legs)


def signal_of(surface: SurfaceView, idea: Idea, confidence: float, trace_id: str) -> signal_pb2.Signal:
    """The signal of one idea. Raises ValueError where a leg has no instrument id."""
    message, valuation = surface.message, idea.valuation
    legs = tuple(_leg(surface, idea, at) for at in range(len(idea.legs)))
    edge = valuation.edge * surface.multiplier
    name = signal_pb2.Strategy.Name(idea.strategy)
    signal = signal_pb2.Signal(
        signal_id=derive_id("signal", message.surface_id, name, legs_text(legs)),
        surface_id=message.surface_id,
        snapshot_id=message.snapshot_id,
        underlying=message.underlying,
        time_ns=message.time_ns,
        strategy=idea.strategy,
        legs=legs,
        edge=edge,
        edge_vol=valuation.edge / valuation.gross_vega if valuation.gross_vega > 0.0 else 0.0,
        edge_stdev=idea.stdev * surface.multiplier,
        confidence=confidence,
        horizon_ns=idea.horizon_ns,
        trace_id=trace_id,
        provenance=message.provenance,
        explanation=f"{idea.explanation}; worth {edge:.2f} {message.currency} after crossing the spread",
    )
    for seen in idea.evidence:
        signal.evidence.add(name=seen.name, value=seen.value, unit=seen.unit)
    signal.evidence.add(name="edge_error", value=valuation.error * surface.multiplier, unit="currency")
    return signal


def _leg(surface: SurfaceView, idea: Idea, at: int) -> signal_pb2.SignalLeg:
    leg, valuation = idea.legs[at], idea.valuation
    # The chain's rule of the forward's delta to the spot's: F moves as S does, in proportion.
    per_spot = leg.slice.forward / surface.message.spot
    return signal_pb2.SignalLeg(
        instrument_id=leg.slice.instrument_id(leg.index),
        side=common_pb2.SIDE_BUY if leg.side > 0 else common_pb2.SIDE_SELL,
        ratio=leg.ratio,
        bid=float(leg.slice.bid[leg.index]),
        ask=float(leg.slice.ask[leg.index]),
        model_price=valuation.model_price[at],
        delta=valuation.leg_delta[at] * (per_spot if math.isfinite(per_spot) else 1.0),
        vega=valuation.leg_vega[at],
    )
