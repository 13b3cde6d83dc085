"""Real SPX chains: what the fits must reach on them."""

import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from vendor_agreement import forwards_within, vendor_vols

from skewline.servers.calibration.contracts import contracts_of
from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.forwards import forwards_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, instrument_pb2, surface_pb2

STALE_FORWARD = date(2019, 4, 29)
GOOD = surface_pb2.FIT_STATUS_GOOD


@pytest.fixture(scope="module")
def chain(market_data: Path) -> chain_pb2.OptionChain:
    source = CboeSource(market_data / "spx-2019")
    loaded = source.load(source.plan()[0])
    loaded.snapshot_id = "spx-2019-04-25"
    return loaded


@pytest.fixture(scope="module")
def surface(chain: chain_pb2.OptionChain) -> surface_pb2.VolSurface:
    return CalibrationEngine(CalibrationSettings()).on_chain(chain)


def test_the_whole_chain_is_fitted_well(surface: surface_pb2.VolSurface) -> None:
    assert surface.status == GOOD
    assert len(surface.slices) >= 37
    assert sum(each.status == GOOD for each in surface.slices) >= 0.9 * len(surface.slices)
    assert surface.rmse < 0.005
    assert surface.quotes > 4000
    assert surface.heston.status == GOOD
    assert surface.heston.rmse < 0.01


def test_forwards_are_known_to_a_few_cents_and_follow_one_rate(surface: surface_pb2.VolSurface) -> None:
    rates = [-np.log(each.discount) / each.years for each in surface.slices if each.years > 0.1]
    assert max(each.forward_stderr for each in surface.slices if each.years < 1.0) < 0.05
    assert min(rates) > 0.022
    assert max(rates) < 0.030
    forwards = [each.forward for each in surface.slices]
    assert max(abs(forward / surface.spot - 1.0) for forward in forwards) < 0.02


def test_am_and_pm_contracts_of_one_date_are_two_slices(surface: surface_pb2.VolSurface) -> None:
    june = [each for each in surface.slices if each.expiry_date == "2019-06-21"]
    assert [(each.root, each.settlement) for each in june] == [
        ("SPX", instrument_pb2.SETTLEMENT_STYLE_AM),
        ("SPXW", instrument_pb2.SETTLEMENT_STYLE_PM),
    ]


def test_vols_agree_with_the_vendors_near_the_money(
    chain: chain_pb2.OptionChain, surface: surface_pb2.VolSurface
) -> None:
    vendor = {
        (chain.expiries[index].root, chain.expiries[index].expiry_date, strike, is_call): vol
        for index, strike, is_call, vol in zip(
            chain.expiry_index, chain.strike, chain.is_call, chain.vendor_iv, strict=True
        )
        if vol > 0.0
    }
    differences = [
        mid - vendor[each.root, each.expiry_date, strike, is_call]
        for each in surface.slices
        if each.years > 0.05
        for strike, is_call, mid in zip(each.strike, each.is_call, each.mid_iv, strict=True)
        if (each.root, each.expiry_date, strike, is_call) in vendor and abs(strike / each.forward - 1) < 0.05
    ]
    assert len(differences) > 500
    assert np.median(np.abs(differences)) < 0.01


def test_half_of_all_vols_are_the_vendors_to_a_tenth_of_a_vol_point(
    chain: chain_pb2.OptionChain, surface: surface_pb2.VolSurface
) -> None:
    found = vendor_vols(chain, surface)
    assert found.off <= 0.001
    assert found.free_of_forward <= 0.001


@pytest.mark.slow
def test_a_vendor_whose_calls_and_puts_disagree_has_another_forward(market_data: Path) -> None:
    source = CboeSource(market_data / "spx-2019", Selection(first=STALE_FORWARD, last=STALE_FORWARD))
    loaded = source.load(source.plan()[0])
    found = vendor_vols(loaded, CalibrationEngine(CalibrationSettings()).on_chain(loaded))
    assert found.apart > 0.02
    assert found.free_of_forward <= 0.001


def test_forwards_are_within_half_a_spread_of_every_pair_at_the_money(chain: chain_pb2.OptionChain) -> None:
    settings = CalibrationSettings()
    contracts = contracts_of(chain, settings)
    within, pairs = forwards_within(contracts, forwards_of(contracts, chain.spot, False, settings))
    assert pairs > 300
    assert within == pairs


def test_a_day_is_fitted_within_its_budget(chain: chain_pb2.OptionChain) -> None:
    engine = CalibrationEngine(CalibrationSettings())
    started = time.process_time()
    engine.on_chain(chain)
    assert time.process_time() - started < 1.5
