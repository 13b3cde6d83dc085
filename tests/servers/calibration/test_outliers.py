"""Quotes held against the last good surface."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.last_smiles import LastSmiles
from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, surface_pb2

SETTINGS = CalibrationSettings()
MINUTE_NS = 60_000_000_000
PLACE = (1, 90.0, False)
"""A put of the second expiry, out of the money: expiry, strike, call."""


def later(after_ns: int, level: float = 1.0, nu: float = 1.0) -> chain_pb2.OptionChain:
    """The same expiries `after_ns` later, every vol times `level`."""
    days = after_ns / DAY_NS
    smiles = tuple(
        replace(each, days=each.days - days, alpha=each.alpha * level, nu=each.nu * nu) for each in SMILES
    )
    return smile_chain(smiles, Quoting(), time_ns=THURSDAY_NS + after_ns, snapshot_id=f"after-{after_ns}")


def priced_up(chain: chain_pb2.OptionChain, factor: float, place: tuple[int, float, bool] = PLACE) -> None:
    at = next(
        at
        for at, found in enumerate(zip(chain.expiry_index, chain.strike, chain.is_call, strict=True))
        if found == place
    )
    chain.bid[at] *= factor
    chain.ask[at] *= factor


def after_first(chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
    engine = CalibrationEngine(SETTINGS)
    assert engine.on_chain(smile_chain()).status == surface_pb2.FIT_STATUS_GOOD
    return engine.on_chain(chain)


def counted(surface: surface_pb2.VolSurface) -> int:
    found = {each.reason: each.count for each in surface.excluded}.get("OUTLIER", 0)
    assert found == sum(len(each.outliers) for each in surface.slices)
    return found


def test_a_wrong_quote_is_left_out_counted_and_shown() -> None:
    wrong, right = later(MINUTE_NS), later(MINUTE_NS)
    priced_up(wrong, 3.0)
    found, undisturbed = after_first(wrong), after_first(right)
    assert counted(undisturbed) == 0
    assert counted(found) == 1
    (outlier,) = found.slices[1].outliers
    assert (outlier.strike, outlier.is_call) == (90.0, False)
    at = list(undisturbed.slices[1].strike).index(90.0)
    assert outlier.bid == pytest.approx(3.0 * undisturbed.slices[1].bid[at])
    assert outlier.expected_iv == pytest.approx(undisturbed.slices[1].mid_iv[at], abs=0.002)
    assert outlier.mid_iv > 1.2 * outlier.expected_iv
    assert 90.0 not in found.slices[1].strike
    assert found.slices[1].record.atm_vol == pytest.approx(undisturbed.slices[1].record.atm_vol, abs=1e-4)
    assert found.quotes == undisturbed.quotes - 1


def test_a_first_chain_has_nothing_to_be_held_against() -> None:
    chain = smile_chain()
    priced_up(chain, 3.0)
    assert counted(CalibrationEngine(SETTINGS).on_chain(chain)) == 0


@pytest.mark.parametrize("level", [0.5, 0.8, 1.5, 2.5])
def test_a_market_that_jumps_takes_its_chain_along(level: float) -> None:
    assert counted(after_first(later(MINUTE_NS, level))) == 0


def test_a_wrong_quote_is_found_in_a_market_that_jumps() -> None:
    chain = later(MINUTE_NS, 1.5)
    priced_up(chain, 8.0)
    assert counted(after_first(chain)) == 1


def test_a_smile_of_another_shape_is_no_heap_of_outliers() -> None:
    found = after_first(later(MINUTE_NS, nu=4.0))
    quotes = [len(each.strike) + len(each.outliers) for each in found.slices]
    shares = [len(each.outliers) / count for each, count in zip(found.slices, quotes, strict=True)]
    assert max(shares) <= SETTINGS.max_outlier_share


def test_the_longer_ago_the_further_a_quote_may_be() -> None:
    soon, late = later(MINUTE_NS), later(10 * DAY_NS)
    for chain in (soon, late):
        priced_up(chain, 3.0)
    assert counted(after_first(soon)) == 1
    assert counted(after_first(late)) == 0


def test_a_wide_quote_around_what_is_expected_says_nothing_wrong() -> None:
    chain = later(MINUTE_NS)
    at = next(
        at
        for at, found in enumerate(zip(chain.expiry_index, chain.strike, chain.is_call, strict=True))
        if found == PLACE
    )
    chain.ask[at] = 2.5 * chain.bid[at]
    assert counted(after_first(chain)) == 0


def test_a_surface_that_is_not_good_is_no_measure() -> None:
    engine = CalibrationEngine(SETTINGS)
    engine.on_chain(smile_chain())
    jumped = engine.on_chain(later(MINUTE_NS, 4.0))
    assert "STABILITY" in jumped.reasons
    chain = later(2 * MINUTE_NS)
    priced_up(chain, 3.0)
    assert counted(engine.on_chain(chain)) == 1


def test_a_new_expiry_is_held_against_those_next_to_it() -> None:
    chain = later(MINUTE_NS)
    engine = CalibrationEngine(SETTINGS)
    engine.on_chain(smile_chain((SMILES[0], SMILES[2], SMILES[3])))
    priced_up(chain, 3.0, (1, 95.0, False))
    assert counted(engine.on_chain(chain)) == 1


def test_expiries_and_strikes_beyond_the_last_surface_are_not_judged() -> None:
    last = LastSmiles.of(CalibrationEngine(SETTINGS).on_chain(smile_chain()))
    assert last is not None
    first, final = last.slices[0].expiry_ns, last.slices[-1].expiry_ns
    k = np.array([-5.0, -0.05, 0.0, 0.02, 5.0])
    assert np.isfinite(last.vols(first, k)).tolist() == [False, True, True, True, False]
    assert np.isnan(last.vols(first - 1, k)).all()
    assert np.isnan(last.vols(final + 1, k)).all()


def test_a_chain_of_an_earlier_time_is_not_held_against_a_later_surface() -> None:
    engine = CalibrationEngine(SETTINGS)
    engine.on_chain(later(DAY_NS))
    chain = smile_chain()
    priced_up(chain, 3.0)
    assert counted(engine.on_chain(chain)) == 0


def test_what_is_remembered_survives_the_message() -> None:
    surface = CalibrationEngine(SETTINGS).on_chain(smile_chain())
    restored = CalibrationEngine(SETTINGS)
    restored.restore([surface_pb2.VolSurface.FromString(surface.SerializeToString())])
    chain = later(MINUTE_NS)
    priced_up(chain, 3.0)
    assert restored.on_chain(chain) == after_first(chain)


def test_real_quotes_a_minute_later_are_no_outliers(market_data: Path) -> None:
    day = date(2015, 12, 24)
    source = LeanSource(market_data / "lean", Selection(("GOOG",), day, day))
    assert _outliers([source.load(each) for each in source.plan()[30:32]]) == (0, 1)


@pytest.mark.slow
def test_real_quotes_days_later_are_hardly_ever_outliers(market_data: Path) -> None:
    source = CboeSource(market_data / "spx-2019")
    outliers, surfaces = _outliers([source.load(each) for each in source.plan()[6:9]])
    # Among some 10,000 quotes, over a weekend in which the shortest vols rose by three quarters.
    assert surfaces == 2
    assert outliers <= 1


def _outliers(chains: list[chain_pb2.OptionChain]) -> tuple[int, int]:
    market, engine = MarketDataEngine(), CalibrationEngine(SETTINGS)
    surfaces = [engine.on_chain(each.chain) for each in map(market.on_chain, chains) if each.chain]
    return sum(map(counted, surfaces)), len(surfaces) - 1
