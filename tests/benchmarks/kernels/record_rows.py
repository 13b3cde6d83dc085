"""Surfaces of every SPX day as the service fits them: the models side by side, and what they stand on."""

from __future__ import annotations

import time

import numpy as np
from market_data_folder import FOLDER
from real_chains import NO_SPX
from table_row import Row, Rows

from skewline.servers.calibration.contracts import Contracts, contracts_of
from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.forwards import Forward, forwards_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, surface_pb2

_SETTINGS = CalibrationSettings()
_FLOOR, _GOAL = 0.1, 0.04  # Seconds a chain, bus and storage included: this is without them.
_INSIDE, _VENDOR = 0.95, 0.001
_NEAR = 0.01  # Of the forward: pairs at the money.


def rows() -> Rows:
    """One row a day: seconds of processor time for the whole chain; quotes as the service takes them."""
    if NO_SPX:
        yield Row("surface of SPX", reason=NO_SPX)
        return
    source = CboeSource(FOLDER / "spx-2019")
    for planned in source.plan():
        day = np.datetime64(planned.time_ns, "ns").astype("datetime64[D]")
        yield _day(str(day), source.load(planned))


def _day(day: str, chain: chain_pb2.OptionChain) -> Row:
    took = np.inf
    for _ in range(2):
        start = time.thread_time()
        surface = fit_surface(chain, _SETTINGS)
        took = min(took, time.thread_time() - start)
    said = "; ".join(
        f"{surface_pb2.VolModel.Name(each.model).removeprefix('VOL_MODEL_')} "
        f"{100 * each.rmse:.2f} vol points, {100 * each.inside_band:.1f} % inside"
        for each in surface.models
    )
    checks = [check for each in surface.slices for check in each.checks if check.model == 1]
    least = {
        name: min((check.value for check in checks if check.name == name), default=np.nan)
        for name in ("BUTTERFLY", "CALENDAR")
    }
    good = sum(each.record.status == surface_pb2.FIT_STATUS_GOOD for each in surface.slices)
    inside = sum(s.record.inside_band * s.record.quotes for s in surface.slices if _common(s))
    inside /= sum(s.record.quotes for s in surface.slices if _common(s))
    contracts = contracts_of(chain, _SETTINGS)
    within, pairs = _forwards_within(contracts, forwards_of(contracts, chain.spot, False, _SETTINGS))
    vendor = _from_vendor(chain, surface)
    return Row(
        f"surface, SPX {day}, {surface.quotes:,} quotes, {len(surface.slices)} expiries",
        ours=took,
        accuracy=(
            f"{said}; record of 7 days to 2 years {100 * inside:.2f} % inside; good {good} of "
            f"{len(surface.slices)}; least g {least['BUTTERFLY']:.3f}, calendar {least['CALENDAR']:.0e}; "
            f"forward in half a spread of {within} of {pairs} pairs; vendor's vol {100 * vendor:.3f} off"
        ),
        exact=inside >= _INSIDE and good == len(surface.slices) and vendor <= _VENDOR,
        floor=_FLOOR,
        goal=_GOAL,
    )


def _common(fitted: surface_pb2.VolSlice) -> bool:
    return bool(fitted.record.quotes) and 7 / 365 <= fitted.years <= 2.0


def _forwards_within(contracts: Contracts, forwards: list[Forward]) -> tuple[int, int]:
    """Pairs at the money whose own forward is as near as half of their spreads, and all such pairs."""
    row = np.flatnonzero(contracts.usable)
    calls, puts = row[:-1], row[1:]
    paired = contracts.is_call[calls] & ~contracts.is_call[puts]
    paired &= contracts.strike[calls] == contracts.strike[puts]
    paired &= contracts.expiry[calls] == contracts.expiry[puts]
    calls, puts = calls[paired], puts[paired]
    level = np.array([each.forward for each in forwards])[contracts.expiry[calls]]
    discount = np.array([each.discount for each in forwards])[contracts.expiry[calls]]
    near = (level > 0.0) & (np.abs(contracts.strike[calls] / level - 1.0) < _NEAR)
    calls, puts, level, discount = calls[near], puts[near], level[near], discount[near]
    own = contracts.mid[calls] - contracts.mid[puts] - discount * (level - contracts.strike[calls])
    spread = contracts.ask - contracts.bid
    return int(np.count_nonzero(np.abs(own) <= 0.5 * (spread[calls] + spread[puts]))), calls.size


def _from_vendor(chain: chain_pb2.OptionChain, surface: surface_pb2.VolSurface) -> float:
    """Median distance of our mid vols from the vendor's, where he says one."""
    vendor = {
        (chain.expiries[index].expiry_ns, strike, is_call): vol
        for index, strike, is_call, vol in zip(
            chain.expiry_index, chain.strike, chain.is_call, chain.vendor_iv, strict=True
        )
        if vol > 0.0
    }
    apart = [
        abs(vol - vendor[each.expiry_ns, strike, is_call])
        for each in surface.slices
        for strike, is_call, vol in zip(each.strike, each.is_call, each.mid_iv, strict=True)
        if (each.expiry_ns, strike, is_call) in vendor
    ]
    return float(np.median(apart)) if apart else np.nan
