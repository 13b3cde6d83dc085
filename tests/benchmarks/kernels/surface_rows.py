"""The market's smiles of every SPX day: share inside the quotes, error in vol beside the models'."""

from __future__ import annotations

import time

import numpy as np
from market_data_folder import FOLDER
from real_chains import NO_SPX
from surface_arbitrage import arbitrage_of
from table_row import Row, Rows

from skewline.cyext import essvi, sabr, variance_smile
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import contracts_of
from skewline.servers.calibration.forwards import forwards_of
from skewline.servers.calibration.smiles import Smiles, smiles_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2

# All quotes with a bid, however far from the money.
_ALL = CalibrationSettings(max_relative_spread=1.99, max_deviations_below=40.0, max_deviations_above=40.0)
_FLOOR, _GOAL = 1e-3, 0.5e-3  # an expiry
_SHARE = 0.99
_ROUNDING = 1e-15  # of a price, over the forward


def rows() -> Rows:
    """One row a day: seconds an expiry of processor time, quotes out of the money of 7 days to 2 years."""
    if NO_SPX:
        yield Row("market smiles of SPX", reason=NO_SPX)
        return
    source = CboeSource(FOLDER / "spx-2019")
    for planned in source.plan():
        day = np.datetime64(planned.time_ns, "ns").astype("datetime64[D]")
        yield _day(str(day), source.load(planned))


def _day(day: str, chain: chain_pb2.OptionChain) -> Row:
    contracts = contracts_of(chain, _ALL)
    forwards = forwards_of(contracts, chain.spot, False, _ALL)
    smiles, _ = smiles_of(contracts, forwards, _ALL)
    level = np.array([each.forward if each.known else np.nan for each in forwards])
    columns = (level, contracts.years, smiles.strike, smiles.bid_iv, smiles.ask_iv, smiles.offsets)
    took = np.inf
    for _ in range(3):
        start = time.thread_time()
        fits = variance_smile.calibrate_many(*columns, mid_vols=smiles.mid_iv)
        took = min(took, time.thread_time() - start)
    quotes = np.diff(smiles.offsets)
    chosen = np.isfinite(fits.inside) & (fits.expiry >= 7 / 365) & (fits.expiry <= 2.0)
    weight = np.where(chosen, quotes, 0) / quotes[chosen].sum()
    inside = float(np.sum(np.nan_to_num(fits.inside) * weight))
    errors = {
        "market": fits.rmse,
        "eSSVI": essvi.calibrate_many(*columns, mid_vols=smiles.mid_iv).rmse,
        "SABR": _sabr_errors(smiles, level, contracts.years),
    }
    said = ", ".join(
        f"{name} {100 * np.sqrt(np.sum(np.nan_to_num(error) ** 2 * weight)):.2f}"
        for name, error in errors.items()
    )
    flagged = int(np.count_nonzero(np.isfinite(fits.inside) & (fits.status != Status.OK)))
    fitted = int(np.count_nonzero(np.isfinite(fits.inside)))
    found = arbitrage_of(fits)
    clean = found.least_g >= 0.0 and found.calendar >= 0.0 and found.convexity >= -_ROUNDING
    clean = clean and found.rise <= _ROUNDING and found.steepest < 2.0
    return Row(
        f"market smiles, SPX {day}, {quotes[chosen].sum():,} quotes, an expiry",
        ours=took / fitted,
        accuracy=(
            f"{100 * inside:.2f} % inside; rmse in vol points: {said}; {flagged} of {fitted} expiries "
            f"flagged; least g {found.least_g:.3f}, halfway between expiries {found.between_g:.3f}, least "
            f"growth of variance {found.calendar:.0e}"
        ),
        exact=inside >= _SHARE and flagged == 0 and clean,
        floor=_FLOOR,
        goal=_GOAL,
    )


def _sabr_errors(smiles: Smiles, level: Doubles, years: Doubles) -> Doubles:
    """Of fits weighted by 1 / (vol spread)², root mean square an expiry."""
    weights = np.maximum(smiles.vol_spread, _ALL.min_vol_spread) ** -2.0
    fits = sabr.calibrate_many(
        level, years, smiles.strike, smiles.mid_iv, smiles.offsets, beta=1.0, weights=weights
    )
    at = smiles.expiry
    vols = sabr.implied_vol(
        smiles.forward, smiles.strike, smiles.years, fits.alpha[at], 1.0, fits.rho[at], fits.nu[at]
    )
    squares = np.bincount(at, np.square(vols - smiles.mid_iv), minlength=level.size)
    return np.asarray(np.sqrt(squares / np.maximum(np.diff(smiles.offsets), 1)))
