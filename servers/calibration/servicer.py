"""CalibrationService over gRPC: requests checked, surfaces read, fits and prices made off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from opentelemetry import trace

from skewline.servers.calibration.chain_check import check_chain
from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.grid import check_grid, grids_of
from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.parameters import check_names, point_of
from skewline.servers.calibration.pricing import imply_volatilities, price_options
from skewline.servers.calibration.spans import spans
from skewline.servers.calibration.surface_store import SurfaceStore
from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.streaming import Feed, stream_subscription
from skewline.servers.runtime.validation import Validation
from skewline.storage.calibration import repository
from skewline.storage.calibration.repository import SurfaceQuery
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import calibration_service_pb2_grpc, surface_pb2

Context = Any
_MOST_OPTIONS: Final = 50_000
_LONGEST_ID: Final = 128


class CalibrationServicer(calibration_service_pb2_grpc.CalibrationServiceServicer):
    """The methods of the contract."""

    def __init__(
        self,
        *,
        settings: CalibrationSettings,
        processor: Processor,
        tracer: trace.Tracer,
        store: SurfaceStore,
        feed: Feed[surface_pb2.VolSurface],
    ) -> None:
        self._settings = settings
        self._processor = processor
        self._tracer = tracer
        self._store = store
        self._feed = feed

    async def GetSurface(self, request: pb.GetSurfaceRequest, context: Context) -> pb.GetSurfaceResponse:
        """By id, by snapshot, or the newest of an underlying; with its values where they are wanted."""
        validation = Validation()
        if not (request.surface_id or request.snapshot_id):
            validation.required("underlying", request.underlying)
            validation.non_negative("as_of_ns", request.as_of_ns)
        if request.HasField("grid"):
            check_grid(validation.within("grid"), request.grid)
        validation.raise_if_any()
        if request.surface_id:
            found = await self._store.get(request.surface_id)
        elif request.snapshot_id:
            found = await self._store.of_snapshot(request.snapshot_id)
        else:
            found = await self._store.newest(request.underlying, request.as_of_ns)
        if found is None:
            raise NotFound("surface", request.surface_id or request.snapshot_id or request.underlying)
        if not request.HasField("grid"):
            return pb.GetSurfaceResponse(surface=found)
        grids = await asyncio.to_thread(grids_of, found, request.grid)
        return pb.GetSurfaceResponse(surface=repository.summary_of(found), grids=grids)

    async def ListSurfaces(
        self, request: pb.ListSurfacesRequest, context: Context
    ) -> pb.ListSurfacesResponse:
        """Newest first, without columns."""
        validation = Validation()
        validation.non_negative("from_ns", request.from_ns)
        validation.non_negative("to_ns", request.to_ns)
        validation.raise_if_any()
        query = SurfaceQuery(request.underlying, request.from_ns, request.to_ns)
        page = page_of(request.page_size, request.page_token, repr(query))
        after = (int(page.after[0]), str(page.after[1])) if page.after else None
        listed = await self._processor.read(
            lambda connection: repository.summaries(connection, query, after, page.size + 1)
        )
        shown, token = cut(listed, page, repr(query), lambda one: (one.time_ns, one.surface_id))
        return pb.ListSurfacesResponse(surfaces=shown, next_page_token=token)

    async def ListParameters(
        self, request: pb.ListParametersRequest, context: Context
    ) -> pb.ListParametersResponse:
        """Newest first."""
        validation = Validation()
        validation.required("underlying", request.underlying)
        check_names(validation, request.names)
        validation.non_negative("years", request.years)
        validation.non_negative("from_ns", request.from_ns)
        validation.non_negative("to_ns", request.to_ns)
        validation.raise_if_any()
        query = SurfaceQuery(request.underlying, request.from_ns, request.to_ns)
        names, years = frozenset(request.names), request.years
        terms = f"{query} {sorted(names)} {years}"
        page = page_of(request.page_size, request.page_token, terms)
        after = (int(page.after[0]), str(page.after[1])) if page.after else None
        listed = await self._processor.read(
            lambda connection: [
                point_of(each, names, years)
                for each in repository.summaries(connection, query, after, page.size + 1)
            ]
        )
        shown, token = cut(listed, page, terms, lambda one: (one.time_ns, one.surface_id))
        return pb.ListParametersResponse(points=shown, next_page_token=token)

    async def PriceOptions(
        self, request: pb.PriceOptionsRequest, context: Context
    ) -> pb.PriceOptionsResponse:
        """Prices and Greeks on a surface."""
        validation = Validation()
        _check_ids(validation, request.instrument_ids)
        if request.model:
            validation.enum("model", request.model, surface_pb2.VolModel)
        surface = await self._surface(validation, request.surface_id, request.underlying)
        return await asyncio.to_thread(
            price_options,
            surface,
            request.instrument_ids,
            request.model,
        )

    async def ImplyVolatilities(
        self, request: pb.ImplyVolatilitiesRequest, context: Context
    ) -> pb.ImplyVolatilitiesResponse:
        """Implied vols with the forwards of a surface."""
        validation = Validation()
        _check_ids(validation, request.instrument_ids)
        validation.equal_length({"instrument_ids": request.instrument_ids, "price": request.price})
        surface = await self._surface(validation, request.surface_id, request.underlying)
        return await asyncio.to_thread(imply_volatilities, surface, request.instrument_ids, request.price)

    async def StreamCalibrations(
        self, requests: AsyncIterator[pb.StreamCalibrationsRequest], context: Context
    ) -> AsyncIterator[pb.StreamCalibrationsResponse]:
        """One fit a request, in order, each from scratch; one at a time for a client."""
        observed = spans(self._tracer)
        async for request in requests:
            validation = Validation()
            validation.required("request_id", request.request_id)
            validation.max_length("request_id", request.request_id, _LONGEST_ID)
            if validation.present("chain", request.HasField("chain")):
                check_chain(validation.within("chain"), request.chain)
            validation.raise_if_any()
            with self._tracer.start_as_current_span(
                "calibration.request", attributes={"skewline.request_id": request.request_id}
            ):
                surface = await asyncio.to_thread(
                    fit_surface, request.chain, self._settings, Memory(), observed
                )
            yield pb.StreamCalibrationsResponse(request_id=request.request_id, surface=surface)

    async def StreamSurfaces(
        self, requests: AsyncIterator[pb.StreamSurfacesRequest], context: Context
    ) -> AsyncIterator[pb.StreamSurfacesResponse]:
        """Live surfaces."""
        async for response in stream_subscription(self._feed, requests, pb.StreamSurfacesResponse):
            yield response

    async def _surface(
        self, validation: Validation, surface_id: str, underlying: str
    ) -> surface_pb2.VolSurface:
        if not surface_id:
            validation.required("underlying", underlying)
        validation.raise_if_any()
        found = await (self._store.get(surface_id) if surface_id else self._store.newest(underlying))
        if found is None:
            raise NotFound("surface", surface_id or underlying)
        return found


def _check_ids(validation: Validation, instrument_ids: Sequence[str]) -> None:
    validation.required("instrument_ids", instrument_ids)
    validation.max_length("instrument_ids", instrument_ids, _MOST_OPTIONS)
