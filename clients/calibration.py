"""CalibrationService: fitted surfaces, and prices from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skewline.clients import methods
from skewline.clients.questions import Ask, Call, Listing, Subscribe, fresh_request_id, names
from skewline.clients.values import Instant, ns_of
from skewline.v1 import calibration_service_pb2 as rpc
from skewline.v1 import chain_pb2, surface_pb2


def _get_surface(
    underlying: str = "", *, surface_id: str = "", snapshot_id: str = "", as_of: Instant = 0
) -> Call[rpc.GetSurfaceResponse, surface_pb2.VolSurface]:
    """One surface: by id, by the snapshot it was fitted to, or the newest of `underlying`, `as_of` a time."""
    request = rpc.GetSurfaceRequest(
        surface_id=surface_id,
        snapshot_id=snapshot_id,
        underlying=underlying,
        as_of_ns=ns_of("as_of", as_of),
    )
    return Call("GetSurface", request, lambda r: r.surface)


def _surface_grid(
    underlying: str = "",
    *,
    surface_id: str = "",
    snapshot_id: str = "",
    as_of: Instant = 0,
    expiries: Iterable[Instant] = (),
    years: Iterable[float] = (),
    strikes: Iterable[float] = (),
    log_moneyness: Iterable[float] = (),
    models: Iterable[surface_pb2.VolModel.ValueType] = (),
    density: bool = False,
    local_vol: bool = False,
) -> Call[rpc.GetSurfaceResponse, rpc.GetSurfaceResponse]:
    """Values of one surface at expiries (or `years`) and strikes (or `log_moneyness`), a grid a model.

    Without expiries they are those of the surface; without models it is the surface of record. The surface
    comes without columns.
    """
    grid = rpc.SurfaceGridRequest(
        expiry_ns=[ns_of("expiries", each) for each in expiries],
        years=years,
        strike=strikes,
        log_moneyness=log_moneyness,
        models=models,
        density=density,
        local_vol=local_vol,
    )
    request = rpc.GetSurfaceRequest(
        surface_id=surface_id,
        snapshot_id=snapshot_id,
        underlying=underlying,
        as_of_ns=ns_of("as_of", as_of),
        grid=grid,
    )
    return Call("GetSurface", request, lambda r: r)


def _list_surfaces(
    *,
    underlying: str = "",
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListSurfacesResponse, surface_pb2.VolSurface]:
    """Surfaces stored, newest first, slices without columns; data time from `since` on, before `until`."""
    request = rpc.ListSurfacesRequest(
        underlying=underlying,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListSurfaces", request, lambda r: r.surfaces, limit)


def _list_parameters(
    underlying: str,
    names_of: Iterable[str] = (),
    *,
    years: float = 0.0,
    since: Instant = 0,
    until: Instant = 0,
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListParametersResponse, rpc.ParameterPoint]:
    """History of factors and of the models' parameters (without names: of all), newest first.

    Parameters of one expiry are those of the expiry nearest to `years` (0: 30 days).
    """
    request = rpc.ListParametersRequest(
        underlying=underlying,
        names=names(names_of),
        years=years,
        from_ns=ns_of("since", since),
        to_ns=ns_of("until", until),
        page_size=page_size,
    )
    return Listing("ListParameters", request, lambda r: r.points, limit)


def _price_options(
    instrument_ids: Sequence[str],
    *,
    underlying: str = "",
    surface_id: str = "",
    model: surface_pb2.VolModel.ValueType = surface_pb2.VOL_MODEL_UNSPECIFIED,
) -> Call[rpc.PriceOptionsResponse, rpc.PriceOptionsResponse]:
    """Prices and Greeks on a surface: columns, one entry an instrument."""
    request = rpc.PriceOptionsRequest(
        underlying=underlying,
        surface_id=surface_id,
        instrument_ids=names(instrument_ids),
        model=model,
    )
    return Call("PriceOptions", request, lambda r: r)


def _imply_volatilities(
    instrument_ids: Sequence[str],
    prices: Sequence[float],
    *,
    underlying: str = "",
    surface_id: str = "",
) -> Call[rpc.ImplyVolatilitiesResponse, rpc.ImplyVolatilitiesResponse]:
    """Implied vols of prices (per unit of underlying), with the forward and discount of a surface."""
    request = rpc.ImplyVolatilitiesRequest(
        underlying=underlying,
        surface_id=surface_id,
        instrument_ids=names(instrument_ids),
        price=prices,
    )
    return Call("ImplyVolatilities", request, lambda r: r)


def _stream_surfaces(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[surface_pb2.VolSurface]:
    """Live surfaces: the current one of each underlying, then updates; conflated if the caller is behind."""
    return Subscribe(
        "StreamSurfaces",
        rpc.StreamSurfacesRequest,
        surface_pb2.VolSurface,
        ("snapshot", "update"),
        names(underlyings),
        resume_after,
    )


def _to_fit(chain: chain_pb2.OptionChain) -> rpc.StreamCalibrationsRequest:
    return rpc.StreamCalibrationsRequest(request_id=fresh_request_id(), chain=chain)


def _fitted(response: rpc.StreamCalibrationsResponse) -> surface_pb2.VolSurface:
    return response.surface


_STREAM_CALIBRATIONS = Ask(
    "StreamCalibrations",
    "Chains in, their fits out; nothing is stored or published.",
    _to_fit,
    _fitted,
)


class AsyncCalibrationService(methods.AsyncService):
    """CalibrationService for asyncio."""

    get_surface = methods.async_call(_get_surface)
    surface_grid = methods.async_call(_surface_grid)
    list_surfaces = methods.async_listing(_list_surfaces)
    list_parameters = methods.async_listing(_list_parameters)
    price_options = methods.async_call(_price_options)
    imply_volatilities = methods.async_call(_imply_volatilities)
    stream_calibrations = methods.async_exchange(_STREAM_CALIBRATIONS)
    stream_surfaces = methods.async_subscription(_stream_surfaces)


class CalibrationService(methods.Service):
    """CalibrationService with blocking calls."""

    get_surface = methods.call(_get_surface)
    surface_grid = methods.call(_surface_grid)
    list_surfaces = methods.listing(_list_surfaces)
    list_parameters = methods.listing(_list_parameters)
    price_options = methods.call(_price_options)
    imply_volatilities = methods.call(_imply_volatilities)
    stream_calibrations = methods.exchange(_STREAM_CALIBRATIONS)
    stream_surfaces = methods.subscription(_stream_surfaces)
