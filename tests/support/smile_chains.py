"""Chains whose quotes lie around known SABR smiles: what a fit must find again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skewline.cyext import american, black, sabr
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

DAY_NS = 86_400_000_000_000
YEAR_NS = 365 * DAY_NS
# Thursday 2019-04-25, 15:00 in New York.
THURSDAY_NS = 1_556_218_800_000_000_000


@dataclass(frozen=True, slots=True)
class Smile:
    """One expiry: its terms, and the SABR smile (beta 1) of its quotes."""

    days: float
    forward: float = 100.0
    rate: float = 0.03
    alpha: float = 0.2
    rho: float = -0.5
    nu: float = 0.8
    root: str = "XYZ"
    date: str = ""
    settlement: instrument_pb2.SettlementStyle.ValueType = instrument_pb2.SETTLEMENT_STYLE_PM

    @property
    def years(self) -> float:
        return self.days / 365.0

    def vols(self, strikes: NDArray[np.float64]) -> NDArray[np.float64]:
        return sabr.implied_vol(self.forward, strikes, self.years, self.alpha, 1.0, self.rho, self.nu)


@dataclass(frozen=True, slots=True)
class Quoting:
    """How quotes are made of the smiles."""

    strikes: NDArray[np.float64] = field(default_factory=lambda: np.arange(70.0, 131.0, 2.5))
    half_spread: float = 0.02
    spot: float = 100.0
    exercise: instrument_pb2.ExerciseStyle.ValueType = instrument_pb2.EXERCISE_STYLE_EUROPEAN
    native_ids: bool = False
    noise_seed: int | None = None


SMILES = (
    Smile(days=15, forward=100.1, date="2019-05-10", alpha=0.18, nu=1.6),
    Smile(days=29, forward=100.2, date="2019-05-24", alpha=0.19, nu=1.1),
    Smile(days=57, forward=100.4, date="2019-06-21", alpha=0.20, nu=0.8),
    Smile(days=148, forward=101.0, date="2019-09-20", alpha=0.21, nu=0.6),
)


def smile_chain(
    smiles: Sequence[Smile] = SMILES,
    quoting: Quoting = Quoting(),
    *,
    time_ns: int = THURSDAY_NS,
    underlying: str = "XYZ",
    snapshot_id: str = "snapshot-1",
) -> chain_pb2.OptionChain:
    """Calls and puts at every strike, bid and ask around the smile's price."""
    chain = chain_pb2.OptionChain(
        snapshot_id=snapshot_id,
        underlying=underlying,
        time_ns=time_ns,
        source="test",
        provenance=common_pb2.PROVENANCE_SIMULATED,
        spot=quoting.spot,
        exercise=quoting.exercise,
        multiplier=common_pb2.Decimal(units=100),
        currency="USD",
    )
    noise = np.random.default_rng(quoting.noise_seed)
    for index, smile in enumerate(smiles):
        chain.expiries.add(
            root=smile.root,
            expiry_date=smile.date,
            expiry_ns=time_ns + round(smile.days * DAY_NS),
            settlement=smile.settlement,
        )
        prices = {is_call: _prices(smile, quoting, is_call) for is_call in (True, False)}
        for at, strike in enumerate(quoting.strikes.tolist()):
            for is_call in (True, False):
                price = float(prices[is_call][at])
                if quoting.noise_seed is not None:
                    price += quoting.half_spread * float(noise.uniform(-0.5, 0.5))
                chain.expiry_index.append(index)
                chain.strike.append(strike)
                chain.is_call.append(is_call)
                chain.bid.append(max(price - quoting.half_spread, 0.0))
                chain.ask.append(price + quoting.half_spread)
                if quoting.native_ids:
                    chain.symbol.append(f"{underlying}-{smile.date}-{strike:g}-{'C' if is_call else 'P'}")
    return chain


def _prices(smile: Smile, quoting: Quoting, is_call: bool) -> NDArray[np.float64]:
    strikes, vols = quoting.strikes, smile.vols(quoting.strikes)
    if quoting.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN:
        carry_yield = smile.rate - math.log(smile.forward / quoting.spot) / smile.years
        return american.price(
            is_call, quoting.spot, strikes, smile.years, smile.rate, carry_yield, vols, accuracy="precise"
        )
    discount = math.exp(-smile.rate * smile.years)
    return black.price(is_call, smile.forward, strikes, smile.years, discount, vols)
