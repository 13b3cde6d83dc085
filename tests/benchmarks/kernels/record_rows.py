"""Surfaces of every SPX day as the service fits them: the models side by side, and what they stand on."""

from __future__ import annotations

import time

import numpy as np
from market_data_folder import FOLDER
from real_chains import NO_SPX
from table_row import Row, Rows
from vendor_agreement import forwards_within, vendor_vols

from skewline.servers.calibration.contracts import contracts_of
from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.forwards import forwards_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, surface_pb2

# The time is one thread's own.
_SETTINGS = CalibrationSettings(threads=1)
_FLOOR, _GOAL = 0.1, 0.04  # Seconds a chain, bus and storage included: this is without them.
_INSIDE, _VENDOR = 0.95, 0.001


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
    within, pairs = forwards_within(contracts, forwards_of(contracts, chain.spot, False, _SETTINGS))
    vendor = vendor_vols(chain, surface)
    return Row(
        f"surface, SPX {day}, {surface.quotes:,} quotes, {len(surface.slices)} expiries",
        ours=took,
        accuracy=(
            f"{said}; record of 7 days to 2 years {100 * inside:.2f} % inside; good {good} of "
            f"{len(surface.slices)}; least g {least['BUTTERFLY']:.3f}, calendar {least['CALENDAR']:.0e}; "
            f"forward in half a spread of {within} of {pairs} pairs; vendor's vol {100 * vendor.off:.3f} "
            f"off, {100 * vendor.free_of_forward:.3f} free of his forward (his calls and puts "
            f"{100 * vendor.apart:.2f} apart)"
        ),
        exact=inside >= _INSIDE and good == len(surface.slices) and vendor.free_of_forward <= _VENDOR,
        floor=_FLOOR,
        goal=_GOAL,
    )


def _common(fitted: surface_pb2.VolSlice) -> bool:
    return bool(fitted.record.quotes) and 7 / 365 <= fitted.years <= 2.0
