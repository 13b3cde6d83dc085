"""Prices, Greeks and implied vols of options on a fitted surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.cyext import american, black, heston, sabr
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.runtime.instruments import parse_osi
from skewline.v1 import calibration_service_pb2, instrument_pb2, surface_pb2

OK: Final = "OK"
_FAILED: Final = surface_pb2.FIT_STATUS_FAILED


@dataclass(frozen=True, slots=True)
class Options:
    """Options found on a surface, as parallel arrays; `status` is "OK" or why the element is NaN."""

    slices: tuple[surface_pb2.VolSlice | None, ...]
    is_call: Flags
    forward: Doubles
    strike: Doubles
    years: Doubles
    discount: Doubles
    status: list[str]


def options_on(surface: surface_pb2.VolSurface, instrument_ids: Sequence[str]) -> Options:
    """Find each option's expiry: by root and date of its OSI symbol, or by a native id quoted there."""
    by_listing = {(each.root, each.expiry_date): each for each in surface.slices}
    native = {
        name: (each, bool(each.is_call[at]), each.strike[at])
        for each in surface.slices
        for at, name in enumerate(each.instrument_id)
    }
    slices: list[surface_pb2.VolSlice | None] = []
    terms = np.full((4, len(instrument_ids)), np.nan)
    is_call = np.zeros(len(instrument_ids), dtype=np.bool_)
    status = []
    for at, name in enumerate(instrument_ids):
        found, is_call[at], own_strike, reason = _look_up(name, by_listing, native)
        slices.append(found)
        status.append(reason)
        if found is not None:
            terms[:, at] = found.forward, own_strike, found.years, found.discount
    forward, strike, years, discount = terms
    return Options(tuple(slices), is_call, forward, strike, years, discount, status)


def _look_up(
    name: str,
    by_listing: dict[tuple[str, str], surface_pb2.VolSlice],
    native: dict[str, tuple[surface_pb2.VolSlice, bool, float]],
) -> tuple[surface_pb2.VolSlice | None, bool, float, str]:
    if name in native:
        return (*native[name], _usable(native[name][0]))
    try:
        symbol = parse_osi(name)
    except ValueError:
        return None, False, np.nan, "NOT_AN_INSTRUMENT_ID"
    found = by_listing.get((symbol.root, symbol.expiry_date))
    if found is None:
        return None, symbol.is_call, np.nan, "NO_SUCH_EXPIRY"
    return found, symbol.is_call, float(symbol.strike), _usable(found)


def _usable(found: surface_pb2.VolSlice) -> str:
    return OK if found.forward > 0.0 else "NO_FORWARD"


def price_options(
    surface: surface_pb2.VolSurface, instrument_ids: Sequence[str], *, use_heston: bool
) -> calibration_service_pb2.PriceOptionsResponse:
    """Prices and spot Greeks at the vol of the expiry's SABR fit, or of the surface's Heston fit.

    American options, whose surface knows the spot, are priced as such at that vol. With Heston the vol is the
    one that its European price implies, and the Greeks are those at that vol.
    """
    options = options_on(surface, instrument_ids)
    if use_heston:
        vol, status = _heston_vols(surface, options)
    else:
        vol, status = _sabr_vols(options)
    greeks = _greeks(surface, options, vol)
    return calibration_service_pb2.PriceOptionsResponse(
        surface_id=surface.surface_id,
        price=greeks.price.tolist(),
        volatility=vol.tolist(),
        delta=greeks.delta.tolist(),
        gamma=greeks.gamma.tolist(),
        vega=greeks.vega.tolist(),
        theta=greeks.theta.tolist(),
        rho=greeks.rho.tolist(),
        status=status,
    )


def imply_volatilities(
    surface: surface_pb2.VolSurface, instrument_ids: Sequence[str], prices: Sequence[float]
) -> calibration_service_pb2.ImplyVolatilitiesResponse:
    """Vols of `prices`, with the forward and discount of each option's expiry; of American ones as such."""
    options = options_on(surface, instrument_ids)
    given = np.asarray(prices, dtype=np.float64)
    terms = (options.strike, options.years)
    if _american(surface):
        implied = american.implied_vol_with_status(
            options.is_call, given, surface.spot, *terms, *_rate_and_carry(surface, options)
        )
    else:
        implied = black.implied_vol_with_status(
            options.is_call, given, options.forward, *terms, options.discount
        )
    status = [
        known if known != OK else Status(code).name
        for known, code in zip(options.status, implied.status.tolist(), strict=True)
    ]
    return calibration_service_pb2.ImplyVolatilitiesResponse(
        surface_id=surface.surface_id, volatility=implied.vol.tolist(), status=status
    )


def _american(surface: surface_pb2.VolSurface) -> bool:
    style = "AMERICAN_AS_EUROPEAN"
    return surface.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN and not any(
        style in each.reasons for each in surface.slices
    )


def _rate_and_carry(surface: surface_pb2.VolSurface, options: Options) -> tuple[Doubles, Doubles]:
    rate = -np.log(options.discount) / options.years
    return rate, rate - np.log(options.forward / surface.spot) / options.years


def _greeks(surface: surface_pb2.VolSurface, options: Options, vol: Doubles) -> black.Greeks:
    if _american(surface):
        return american.greeks(
            options.is_call,
            surface.spot,
            options.strike,
            options.years,
            *_rate_and_carry(surface, options),
            vol,
        )
    by_forward = black.greeks(
        options.is_call, options.forward, options.strike, options.years, options.discount, vol
    )
    return black.spot_greeks(by_forward, surface.spot, options.forward, options.years)


def _sabr_vols(options: Options) -> tuple[Doubles, list[str]]:
    parameters = np.full((4, options.strike.size), np.nan)
    status = list(options.status)
    for at, found in enumerate(options.slices):
        if found is None or status[at] != OK:
            continue
        if found.status == _FAILED:
            status[at] = "FIT_FAILED"
            continue
        fit = found.sabr
        parameters[:, at] = fit.alpha, fit.beta, fit.rho, fit.nu
    vol = sabr.implied_vol(options.forward, options.strike, options.years, *parameters)
    return _checked(vol, status)


def _heston_vols(surface: surface_pb2.VolSurface, options: Options) -> tuple[Doubles, list[str]]:
    fit = surface.heston
    if fit.status == _FAILED or not fit.sigma > 0.0:
        reasons = ["FIT_FAILED" if each == OK else each for each in options.status]
        return np.full(options.strike.size, np.nan), reasons
    terms = (options.is_call, options.forward, options.strike, options.years)
    price = heston.price(
        *terms, 1.0, v0=fit.v0, kappa=fit.kappa, theta=fit.theta, sigma=fit.sigma, rho=fit.rho
    )
    vol = black.implied_vol(options.is_call, price, *terms[1:], 1.0)
    return _checked(vol, list(options.status))


def _checked(vol: Doubles, status: list[str]) -> tuple[Doubles, list[str]]:
    finite = np.isfinite(vol).tolist()
    return vol, [
        "NO_VOLATILITY" if known == OK and not fine else known
        for known, fine in zip(status, finite, strict=True)
    ]
