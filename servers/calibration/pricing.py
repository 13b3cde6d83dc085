"""Prices, Greeks and implied vols of options on a fitted surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from skewline.cyext import american, american_dividends, black
from skewline.cyext.status import Status
from skewline.servers.calibration.cash_dividends import CashDividends
from skewline.servers.calibration.contracts import Doubles, Flags, Indices
from skewline.servers.calibration.model_surface import model_surface
from skewline.servers.calibration.options import OK, Options, options_on
from skewline.v1 import calibration_service_pb2, instrument_pb2, surface_pb2


def price_options(
    surface: surface_pb2.VolSurface,
    instrument_ids: Sequence[str],
    model: surface_pb2.VolModel.ValueType = surface_pb2.VOL_MODEL_RECORD,
) -> calibration_service_pb2.PriceOptionsResponse:
    """Prices and spot Greeks at the vols of `model`.

    American options, whose surface knows the spot, are priced as such at that vol, with the cash dividends
    that the surface knows of. With Heston the vol is the
    one that its European price implies, and the Greeks are those at that vol.
    """
    options = options_on(surface, instrument_ids)
    vol, interpolated, status = _vols(surface, options, model)
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
        interpolated=interpolated.tolist(),
    )


def imply_volatilities(
    surface: surface_pb2.VolSurface, instrument_ids: Sequence[str], prices: Sequence[float]
) -> calibration_service_pb2.ImplyVolatilitiesResponse:
    """Vols of `prices`, with the forward and discount of each option's expiry; of American ones as such."""
    options = options_on(surface, instrument_ids)
    given = np.asarray(prices, dtype=np.float64)
    terms = (options.strike, options.years)
    if _american(surface):
        spot = _spots(surface, options)
        implied = american.implied_vol_with_status(
            options.is_call, given, spot, *terms, *_rate_and_carry(spot, options)
        )
        for rows, dividends in _paying(surface, options):
            implied.vol[rows] = dividends.european_vols(
                *(options.is_call[rows], given[rows], surface.spot, options.strike[rows]),
                *(float(column[rows[0]]) for column in (options.years, options.forward, options.discount)),
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


def _spots(surface: surface_pb2.VolSurface, options: Options) -> Doubles:
    """The price of what each option delivers: the surface's spot, or the future."""
    on_future = np.array([each is not None and each.on_future for each in options.slices], dtype=np.bool_)
    return np.where(on_future, options.forward, surface.spot)


def _rate_and_carry(spot: Doubles, options: Options) -> tuple[Doubles, Doubles]:
    rate = -np.log(options.discount) / options.years
    return rate, rate - np.log(options.forward / spot) / options.years


def _paying(surface: surface_pb2.VolSurface, options: Options) -> Iterator[tuple[Indices, CashDividends]]:
    """The options of each expiry before which cash dividends are paid, and those dividends."""
    paid = np.array([0.0 if each is None else each.dividends for each in options.slices])
    if not (paid > 0.0).any():
        return
    last_ns = max(each.expiry_ns for each in surface.slices)
    dividends = CashDividends.of(surface, last_ns)
    for years in np.unique(options.years[paid > 0.0]).tolist():
        yield np.flatnonzero((options.years == years) & (paid > 0.0)), dividends


def _american_greeks(surface: surface_pb2.VolSurface, options: Options, vol: Doubles) -> black.Greeks:
    spot = _spots(surface, options)
    rate, carry = _rate_and_carry(spot, options)
    found = american.greeks(options.is_call, spot, options.strike, options.years, rate, carry, vol)
    for rows, dividends in _paying(surface, options):
        strike, years, forward = options.strike[rows], float(options.years[rows[0]]), options.forward[rows[0]]
        own_vol = dividends.own_vols(vol[rows], surface.spot, strike, years, float(forward))
        growth = dividends.growth(surface.spot, float(forward), years)
        instead = american_dividends.greeks(
            *(options.is_call[rows], surface.spot, strike, years, rate[rows], rate[rows] - growth, own_vol),
            dividends=american_dividends.Dividends(dividends.times, dividends.amounts),
        )
        for field in fields(found):
            getattr(found, field.name)[rows] = getattr(instead, field.name)
    return found


def _greeks(surface: surface_pb2.VolSurface, options: Options, vol: Doubles) -> black.Greeks:
    if _american(surface):
        return _american_greeks(surface, options, vol)
    by_forward = black.greeks(
        options.is_call, options.forward, options.strike, options.years, options.discount, vol
    )
    return black.spot_greeks(by_forward, _spots(surface, options), options.forward, options.years)


def _vols(
    surface: surface_pb2.VolSurface, options: Options, model: surface_pb2.VolModel.ValueType
) -> tuple[Doubles, Flags, list[str]]:
    """Vols, whether they are of the expiries next to the option's own, and "OK" or why there is none."""
    count = options.strike.size
    vol, status = np.full(count, np.nan), list(options.status)
    interpolated = np.zeros(count, dtype=np.bool_)
    known = np.array([each == OK for each in status], dtype=np.bool_)
    found = model_surface(surface, model)
    if found is None:
        return vol, interpolated, ["FIT_FAILED" if each == OK else each for each in status]
    years, forward = options.years[known], options.forward[known]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        values = found.at(years, np.log(options.strike[known] / forward)[:, np.newaxis])
        vol[known] = np.where(values.extrapolated, np.nan, np.sqrt(values.variance[:, 0] / years))
    interpolated[known] = ~found.fitted(years)
    for at, beyond in zip(np.flatnonzero(known).tolist(), values.extrapolated.tolist(), strict=True):
        if beyond:
            status[at] = "FIT_FAILED"
        elif not np.isfinite(vol[at]):
            status[at] = "NO_VOLATILITY"
    return vol, interpolated & np.isfinite(vol), status
