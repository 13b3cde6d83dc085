"""TCP ports of the services."""

from typing import Annotated

from pydantic import Field

from skewline.servers.runtime.settings.section import Section

Port = Annotated[int, Field(ge=0, le=65535)]


class ServicePorts(Section):
    """TCP port on which each service listens; 0 lets the system choose."""

    marketdata: Port = 50051
    """Port of the market data service."""
    calibration: Port = 50052
    """Port of the calibration service."""
    signal: Port = 50053
    """Port of the signal service."""
    risk: Port = 50054
    """Port of the risk service."""
    order: Port = 50055
    """Port of the order service."""
