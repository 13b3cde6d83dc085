"""The asyncio client of all five services."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from skewline.clients.async_link import AsyncLink
from skewline.clients.async_wire import AsyncWire
from skewline.clients.calibration import AsyncCalibrationService
from skewline.clients.endpoints import Endpoints
from skewline.clients.market_data import AsyncMarketDataService
from skewline.clients.options import ClientOptions
from skewline.clients.order import AsyncOrderService
from skewline.clients.risk import AsyncRiskService
from skewline.clients.signal import AsyncSignalService
from skewline.v1 import (
    calibration_service_pb2_grpc,
    market_data_service_pb2_grpc,
    order_service_pb2_grpc,
    risk_service_pb2_grpc,
    signal_service_pb2_grpc,
)


class AsyncClient:
    """Calls are awaited; streams are async iterators. For one event loop; use it as a context manager.

    Without `endpoints` it looks for the stack that runs on this machine (NoStack if there is none). A channel
    is opened when its service is first used. Every call raises SkewlineError when it fails.
    """

    def __init__(self, endpoints: Endpoints | None = None, options: ClientOptions | None = None) -> None:
        self._endpoints = endpoints or Endpoints.of_running_stack()
        self._options = options or ClientOptions()
        self._wires: list[AsyncWire] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all channels; what runs on them ends with ClientClosed."""
        for wire in self._wires:
            await wire.close()

    @cached_property
    def market_data(self) -> AsyncMarketDataService:
        """Chains, bars, instruments, replays."""
        return AsyncMarketDataService(
            self._link("marketdata", market_data_service_pb2_grpc.MarketDataServiceStub)
        )

    @cached_property
    def calibration(self) -> AsyncCalibrationService:
        """Surfaces, and prices from them."""
        stub = calibration_service_pb2_grpc.CalibrationServiceStub
        return AsyncCalibrationService(self._link("calibration", stub))

    @cached_property
    def signal(self) -> AsyncSignalService:
        """What is mispriced."""
        return AsyncSignalService(self._link("signal", signal_service_pb2_grpc.SignalServiceStub))

    @cached_property
    def risk(self) -> AsyncRiskService:
        """Checks, portfolio, limits, kill switch."""
        return AsyncRiskService(self._link("risk", risk_service_pb2_grpc.RiskServiceStub))

    @cached_property
    def order(self) -> AsyncOrderService:
        """Orders, fills, positions, profit and loss, traces."""
        return AsyncOrderService(self._link("order", order_service_pb2_grpc.OrderServiceStub))

    def _link(self, service: str, stub: object) -> AsyncLink:
        wire = AsyncWire(service, self._endpoints.of(service), stub)
        self._wires.append(wire)
        return AsyncLink(wire, self._options)
