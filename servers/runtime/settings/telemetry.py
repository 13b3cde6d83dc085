"""Settings of traces and metrics."""

from typing import Annotated

from pydantic import AfterValidator, Field

from skewline.servers.runtime.settings.ports import Port
from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.service_name import ServiceName
from skewline.servers.runtime.settings.url import one_of_schemes

OtlpUrl = Annotated[str, AfterValidator(one_of_schemes("http", "https"))]


class MetricsPorts(Section):
    """TCP port of each service's Prometheus endpoint; 0 lets the system choose."""

    marketdata: Port = 0
    """Metrics port of the market data service."""
    calibration: Port = 0
    """Metrics port of the calibration service."""
    signal: Port = 0
    """Metrics port of the signal service."""
    risk: Port = 0
    """Metrics port of the risk service."""
    order: Port = 0
    """Metrics port of the order service."""


class TelemetrySettings(Section):
    """Where spans and metrics go."""

    otlp_endpoint: OtlpUrl | None = None
    """OTLP/gRPC receiver of the traces (`http://127.0.0.1:4317`); unset: the local store only."""

    span_retention: int = Field(default=500_000, ge=1)
    """Spans that a service's local store keeps; the oldest go first."""

    span_delay_ms: int = Field(default=200, ge=1, le=60_000)
    """Milliseconds that finished spans wait to be written together."""

    metrics: bool = True
    """Whether each service serves Prometheus metrics."""

    metrics_ports: MetricsPorts = MetricsPorts()
    """Ports of the Prometheus endpoints, bound on `network.host`."""

    def metrics_port(self, service: ServiceName) -> int | None:
        """The port on which `service` serves metrics (0: any); None when metrics are off."""
        port: int = getattr(self.metrics_ports, service)
        return port if self.metrics else None
