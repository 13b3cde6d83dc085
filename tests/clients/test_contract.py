"""Every rpc of the contract has a method, on both clients alike."""

from __future__ import annotations

import inspect
import re

import pytest
from google.protobuf import descriptor_pool

from skewline.clients import calibration, market_data, order, risk, signal
from skewline.clients.methods import AsyncService, Service

_PAIRS: dict[str, tuple[type[AsyncService], type[Service]]] = {
    "MarketDataService": (market_data.AsyncMarketDataService, market_data.MarketDataService),
    "CalibrationService": (calibration.AsyncCalibrationService, calibration.CalibrationService),
    "SignalService": (signal.AsyncSignalService, signal.SignalService),
    "RiskService": (risk.AsyncRiskService, risk.RiskService),
    "OrderService": (order.AsyncOrderService, order.OrderService),
}

# Further methods for what an rpc also does.
_TWICE = {"OrderService": {"stream_commands"}, "CalibrationService": {"surface_grid"}}


def methods(service: type) -> set[str]:
    inherited = {"within", "is_serving"}
    return {n for n, _ in inspect.getmembers(service, callable) if not n.startswith("_")} - inherited


@pytest.mark.parametrize("name", _PAIRS)
def test_every_rpc_has_a_method(name: str) -> None:
    descriptor = descriptor_pool.Default().FindServiceByName(f"skewline.v1.{name}")
    rpcs = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.name).lower() for method in descriptor.methods}
    assert methods(_PAIRS[name][0]) == rpcs | _TWICE.get(name, set())


@pytest.mark.parametrize("name", _PAIRS)
def test_both_clients_have_the_same_methods_with_the_same_arguments(name: str) -> None:
    asynchronous, blocking = _PAIRS[name]
    assert methods(asynchronous) == methods(blocking)
    for method in methods(asynchronous):
        ours, theirs = getattr(asynchronous, method), getattr(blocking, method)
        assert inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys()
        assert ours.__doc__, method
