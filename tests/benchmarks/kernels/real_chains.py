"""Real chains, read and prepared as the calibration service does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from market_data_folder import FOLDER, MISSING

from skewline.servers.calibration.contracts import Contracts, Doubles, Flags, contracts_of
from skewline.servers.calibration.forwards import Forward, forwards_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2

SETTINGS = CalibrationSettings()

#: Why there is no chain of that source; "" if there is one.
NO_SPX = "" if (FOLDER / "spx-2019").is_dir() else MISSING
NO_GOOG = "" if (FOLDER / "lean").is_dir() else MISSING


@dataclass(frozen=True, slots=True)
class Quotes:
    """Contracts with a two-sided quote on an expiry whose forward is known, side by side."""

    is_call: Flags
    mid: Doubles
    strike: Doubles
    years: Doubles
    forward: Doubles
    discount: Doubles

    @classmethod
    def of(cls, contracts: Contracts, forwards: list[Forward]) -> Quotes:
        """All of them, in and out of the money, however wide."""
        forward = np.array([each.forward for each in forwards])[contracts.expiry]
        discount = np.array([each.discount for each in forwards])[contracts.expiry]
        years = contracts.years[contracts.expiry]
        quoted = (contracts.bid > 0.0) & (contracts.ask >= contracts.bid) & (forward > 0.0) & (years > 0.0)
        columns = (contracts.is_call, contracts.mid, contracts.strike, years, forward, discount)
        return cls(*(np.ascontiguousarray(column[quoted]) for column in columns))


def spx(day: date) -> chain_pb2.OptionChain:
    """SPX and SPXW, one snapshot of the day."""
    source = CboeSource(FOLDER / "spx-2019", Selection(first=day, last=day))
    return source.load(source.plan()[0])


def goog(day: date) -> chain_pb2.OptionChain:
    """GOOG half an hour after the opening, when most contracts have a bid and an ask."""
    source = LeanSource(FOLDER / "lean", Selection(("GOOG",), day, day))
    return source.load(source.plan()[30])


def prepared(chain: chain_pb2.OptionChain, american: bool) -> tuple[Contracts, list[Forward]]:
    """Contracts and parity forwards."""
    contracts = contracts_of(chain, SETTINGS)
    return contracts, forwards_of(contracts, chain.spot, american, SETTINGS)
