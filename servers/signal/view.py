"""A fitted surface as the strategies see it: its good slices as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from skewline.cyext import black
from skewline.servers.runtime.day_count import DAYS_A_YEAR
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.instruments import osi_symbol
from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.neighbours import Doubles, FairVols, Flags, fair_vols
from skewline.v1 import instrument_pb2, surface_pb2

GOOD: Final = surface_pb2.FIT_STATUS_GOOD


@dataclass(frozen=True)
class SliceView:
    """One good slice; columns are by strike. Prices are per unit of underlying, Greeks per forward.

    Vols are those of European options. `early_exercise` is what the right to exercise early adds to the price
    of each quote: a quote compares with its model price and this together. It is zero for European options.
    """

    message: surface_pb2.VolSlice
    settings: SignalSettings
    strike: Doubles
    is_call: Flags
    bid: Doubles
    ask: Doubles
    bid_iv: Doubles
    ask_iv: Doubles
    mid_iv: Doubles
    model_iv: Doubles
    early_exercise: Doubles
    tradable: Flags

    @property
    def name(self) -> str:
        """Root and expiry date."""
        return f"{self.message.root} {self.message.expiry_date}"

    @property
    def years(self) -> float:
        """Time to expiry."""
        return self.message.years

    @property
    def forward(self) -> float:
        """Forward."""
        return self.message.forward

    @cached_property
    def fair(self) -> FairVols:
        """Fair vols by the fit and the neighbours."""
        return fair_vols(
            np.log(self.strike / self.forward),
            self.mid_iv,
            self.model_iv,
            a_side=self.settings.neighbours,
            least_error=self.settings.min_vol_error,
        )

    def greeks(self, vol: Doubles) -> black.Greeks:
        """Prices and Greeks of all quotes at `vol`, without early exercise."""
        return black.greeks(self.is_call, self.forward, self.strike, self.years, self.message.discount, vol)

    def instrument_id(self, index: int) -> str:
        """Exchange-native id, or OSI symbol. Raises ValueError where the contract has neither."""
        if self.message.instrument_id:
            return self.message.instrument_id[index]
        return osi_symbol(
            self.message.root,
            self.message.expiry_date,
            bool(self.is_call[index]),
            float(self.strike[index]),
        )


@dataclass(frozen=True, slots=True)
class SurfaceView:
    """A good surface: its good slices that are far enough from expiry, and units of underlying a contract.

    `refused` counts the other slices by reason.
    """

    message: surface_pb2.VolSurface
    slices: tuple[SliceView, ...]
    multiplier: float
    refused: Mapping[str, int]

    def vol_of_vol(self, least: float) -> float:
        """Volatility of log vol from the surface's OU fit, which is known also where its mean is not."""
        return max(self.message.ou.sigma, least)

    def nearest(self, years: float) -> SliceView | None:
        """The slice whose expiry is nearest to `years`; the earlier one where two are."""
        return min(self.slices, key=lambda each: abs(each.years - years), default=None)


def view_of(surface: surface_pb2.VolSurface, settings: SignalSettings) -> SurfaceView:
    """Read `surface`, which must be GOOD."""
    american = surface.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
    reasons = [_refusal(each, settings) for each in surface.slices]
    slices = tuple(
        _slice(each, american, settings)
        for each, reason in zip(surface.slices, reasons, strict=True)
        if not reason
    )
    refused = Counter(reason for reason in reasons if reason)
    return SurfaceView(surface, slices, float(to_decimal(surface.multiplier)), refused)


def _refusal(message: surface_pb2.VolSlice, settings: SignalSettings) -> str:
    """Why an expiry is not traded; empty where it may be."""
    if message.status != GOOD:
        return "EXPIRY_NOT_GOOD"
    return "EXPIRY_TOO_NEAR" if message.years * DAYS_A_YEAR < settings.min_days else ""


def _slice(message: surface_pb2.VolSlice, american: bool, settings: SignalSettings) -> SliceView:
    bid, ask = _column(message.bid), _column(message.ask)
    strike, mid_iv = _column(message.strike), _column(message.mid_iv)
    is_call = np.asarray(message.is_call, dtype=np.bool_)
    early_exercise = np.zeros(strike.size)
    if american:
        # Calibration took the premium off the mid before it implied the vol: this is what it took.
        early_exercise = 0.5 * (bid + ask) - black.price(
            is_call, message.forward, strike, message.years, message.discount, mid_iv
        )
    tradable = (bid >= settings.min_bid) & (ask - bid <= settings.max_relative_spread * 0.5 * (bid + ask))
    if message.open_interest:
        tradable &= _column(message.open_interest) >= settings.min_open_interest
    for sizes in (message.bid_size, message.ask_size):
        if sizes:
            tradable &= _column(sizes) >= settings.min_size
    return SliceView(
        message=message,
        settings=settings,
        strike=strike,
        is_call=is_call,
        bid=bid,
        ask=ask,
        bid_iv=_column(message.bid_iv),
        ask_iv=_column(message.ask_iv),
        mid_iv=mid_iv,
        model_iv=_column(message.model_iv),
        early_exercise=early_exercise,
        tradable=tradable,
    )


def _column(values: object) -> Doubles:
    return np.asarray(values, dtype=np.float64)
