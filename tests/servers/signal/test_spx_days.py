"""Real SPX chains: few signals, all of them sound."""

from pathlib import Path

import pytest

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.runtime.instruments import contract_ids
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.engine import SignalEngine
from skewline.v1 import chain_pb2, common_pb2, signal_pb2

DAYS = 6


@pytest.fixture(scope="module")
def traded(market_data: Path) -> list[tuple[chain_pb2.OptionChain, signal_pb2.SignalSet]]:
    source = CboeSource(market_data / "spx-2019")
    calibration, signal = CalibrationEngine(CalibrationSettings()), SignalEngine(SignalSettings())
    sets = []
    for ref in source.plan()[:DAYS]:
        chain = source.load(ref)
        chain.snapshot_id = ref.key
        sets.append((chain, signal.on_surface(calibration.on_chain(chain), "")))
    return sets


def test_there_are_some_signals_and_not_many(
    traded: list[tuple[chain_pb2.OptionChain, signal_pb2.SignalSet]],
) -> None:
    numbers = [len(signal_set.signals) for _, signal_set in traded]
    assert sum(numbers) >= 3
    assert max(numbers) <= SignalSettings().max_signals


def test_legs_are_quoted_contracts_at_their_quotes(
    traded: list[tuple[chain_pb2.OptionChain, signal_pb2.SignalSet]],
) -> None:
    for chain, signal_set in traded:
        quotes = dict(zip(contract_ids(chain), zip(chain.bid, chain.ask, strict=True), strict=True))
        for signal in signal_set.signals:
            for leg in signal.legs:
                assert (leg.bid, leg.ask) == quotes[leg.instrument_id]


def test_no_structure_can_lose_without_limit(
    traded: list[tuple[chain_pb2.OptionChain, signal_pb2.SignalSet]],
) -> None:
    for _, signal_set in traded:
        for signal in signal_set.signals:
            for right in "CP":
                net = sum(
                    leg.ratio if leg.side == common_pb2.SIDE_BUY else -leg.ratio
                    for leg in signal.legs
                    if leg.instrument_id[12] == right
                )
                assert net >= 0
