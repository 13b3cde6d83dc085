"""The real chains that calibration is measured with, as MarketData publishes them."""

from __future__ import annotations

from collections.abc import Sequence

from fitted_services import event_of

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.v1 import chain_pb2, event_pb2


def accepted(chains: Sequence[chain_pb2.OptionChain]) -> list[chain_pb2.OptionChain]:
    """Those that MarketData accepts, cleaned."""
    engine = MarketDataEngine()
    outcomes = [engine.on_chain(chain) for chain in chains]
    return [outcome.chain for outcome in outcomes if outcome.chain is not None]


def events_of(chains: Sequence[chain_pb2.OptionChain], underlyings: int) -> list[event_pb2.Event]:
    """The event of each chain for each of so many underlyings, as if all had the same quotes."""
    events = []
    for chain in chains:
        for number in range(underlyings):
            copy = chain_pb2.OptionChain()
            copy.CopyFrom(chain)
            copy.underlying = f"U{number}"
            copy.snapshot_id = f"{chain.snapshot_id}-{number}"
            events.append(event_of(copy, "marketdata"))
    return events
