"""Quotes that are far from where the last good surface and the rest of their chain say they should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from skewline.servers.calibration.contracts import Contracts, Doubles, Flags
from skewline.servers.calibration.last_smiles import LastSmiles
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2, surface_pb2

# Fewer quotes of an expiry do not say by themselves how its level moved.
_FEWEST: Final = 5
# Share of a level's move by which wings may move otherwise.
_WINGS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outliers:
    """One element a quote of the smiles: whether it is one, and the vol that was expected (NaN: unknown)."""

    flags: Flags
    expected: Doubles

    def of_expiry(self, index: int, smiles: Smiles, contracts: Contracts) -> list[surface_pb2.OutlierQuote]:
        """Those of one expiry, as the contract says them."""
        start, stop = smiles.offsets[index : index + 2]
        return [
            surface_pb2.OutlierQuote(
                strike=smiles.strike[at],
                is_call=smiles.is_call[at],
                bid=contracts.bid[smiles.row[at]],
                ask=contracts.ask[smiles.row[at]],
                mid_iv=smiles.mid_iv[at],
                expected_iv=self.expected[at],
            )
            for at in (start + np.flatnonzero(self.flags[start:stop])).tolist()
        ]


def outliers_of(
    smiles: Smiles,
    expiries: Sequence[chain_pb2.ChainExpiry],
    time_ns: int,
    last: LastSmiles | None,
    settings: CalibrationSettings,
) -> Outliers:
    """Which quotes have their whole band of vol further from the expected one than time and market explain.

    Expected is the last surface's vol at the same expiry and log-moneyness, times what the middle one of all
    quotes of the expiry moved since: a market that moves takes its chain along, a wrong quote is alone. Half
    of that move is tolerated on top, for wings move otherwise than the middle. Where more quotes than
    `max_outlier_share` would be outliers, the smile has changed its shape, and none is one.
    """
    flags, expected = np.zeros(smiles.strike.size, dtype=np.bool_), np.full(smiles.strike.size, np.nan)
    if last is None or time_ns <= last.time_ns:
        return Outliers(flags, expected)
    k = np.log(smiles.strike / smiles.forward)
    rows = [slice(*ends) for ends in pairwise(smiles.offsets.tolist())]
    for expiry, quotes in zip(expiries, rows, strict=True):
        if quotes.stop > quotes.start:
            expected[quotes] = last.vols(expiry.expiry_ns, k[quotes])
    moved = np.log(smiles.mid_iv / expected)
    known = np.isfinite(moved)
    if not known.any():
        return Outliers(flags, expected)
    whole = float(np.median(moved[known]))
    explained = settings.outlier_speed * math.sqrt((time_ns - last.time_ns) / YEAR_NS)
    tolerance = np.full(moved.size, settings.outlier_jump + explained)
    for quotes in rows:
        told = moved[quotes][known[quotes]]
        if told.size:
            level = float(np.median(told)) if told.size >= _FEWEST else whole
            expected[quotes] *= math.exp(level)
            tolerance[quotes] += _WINGS * abs(level)
    factor = np.exp(tolerance)
    # A bid without a vol (NaN) bounds nothing, as an expected vol that is unknown does.
    flags = (smiles.bid_iv > expected * factor) | (smiles.ask_iv < expected / factor)
    for quotes in rows:
        most = max(1.0, settings.max_outlier_share * np.count_nonzero(known[quotes]))
        if np.count_nonzero(flags[quotes]) > most:
            flags[quotes] = False
    return Outliers(flags, expected)
