"""The blocking client of all five services."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from skewline.clients.calibration import CalibrationService
from skewline.clients.endpoints import Endpoints
from skewline.clients.link import Link
from skewline.clients.market_data import MarketDataService
from skewline.clients.options import ClientOptions
from skewline.clients.order import OrderService
from skewline.clients.risk import RiskService
from skewline.clients.signal import SignalService
from skewline.clients.wire import Wire
from skewline.v1 import (
    calibration_service_pb2_grpc,
    market_data_service_pb2_grpc,
    order_service_pb2_grpc,
    risk_service_pb2_grpc,
    signal_service_pb2_grpc,
)


class Client:
    """Calls block; streams are iterators. May be used from several threads; use it as a context manager.

    Without `endpoints` it looks for the stack that runs on this machine (NoStack if there is none). A channel
    is opened when its service is first used. Every call raises SkewlineError when it fails.
    """

    def __init__(self, endpoints: Endpoints | None = None, options: ClientOptions | None = None) -> None:
        self._endpoints = endpoints or Endpoints.of_running_stack()
        self._options = options or ClientOptions()
        self._wires: list[Wire] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all channels; what runs on them ends with ClientClosed."""
        for wire in self._wires:
            wire.close()

    @cached_property
    def market_data(self) -> MarketDataService:
        """Chains, bars, instruments, replays."""
        return MarketDataService(self._link("marketdata", market_data_service_pb2_grpc.MarketDataServiceStub))

    @cached_property
    def calibration(self) -> CalibrationService:
        """Surfaces, and prices from them."""
        stub = calibration_service_pb2_grpc.CalibrationServiceStub
        return CalibrationService(self._link("calibration", stub))

    @cached_property
    def signal(self) -> SignalService:
        """What is mispriced."""
        return SignalService(self._link("signal", signal_service_pb2_grpc.SignalServiceStub))

    @cached_property
    def risk(self) -> RiskService:
        """Checks, portfolio, limits, kill switch."""
        return RiskService(self._link("risk", risk_service_pb2_grpc.RiskServiceStub))

    @cached_property
    def order(self) -> OrderService:
        """Orders, fills, positions, profit and loss, traces."""
        return OrderService(self._link("order", order_service_pb2_grpc.OrderServiceStub))

    def _link(self, service: str, stub: object) -> Link:
        wire = Wire(service, self._endpoints.of(service), stub)
        self._wires.append(wire)
        return Link(wire, self._options)
