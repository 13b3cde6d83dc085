"""Prices, Greeks and implied vols of options on a fitted surface."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skewline.cyext import american, black
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.calibration.model_surface import model_surface
from skewline.servers.calibration.options import OK, Options, options_on
from skewline.v1 import calibration_service_pb2, instrument_pb2, surface_pb2


def price_options(
    surface: surface_pb2.VolSurface,
    instrument_ids: Sequence[str],
    model: surface_pb2.VolModel.ValueType = surface_pb2.VOL_MODEL_RECORD,
) -> calibration_service_pb2.PriceOptionsResponse:
    """Prices and spot Greeks at the vols of `model`.

    American options, whose surface knows the spot, are priced as such at that vol. With Heston the vol is the
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
