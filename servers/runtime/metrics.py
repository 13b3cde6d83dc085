"""Metrics of one service, served to Prometheus."""

import threading
from typing import Final, Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from skewline.servers.runtime.settings import ServiceName, Settings

_SECONDS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Counters of one service in a registry of their own, so that services can share a process."""

    def __init__(self, service: str) -> None:
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._service = service
        self._http: WSGIServer | None = None
        self._http_thread: threading.Thread | None = None
        self._rpcs = Counter(
            "skewline_rpcs", "RPCs finished.", ["service", "rpc", "code"], registry=self.registry
        )
        self._rpc_seconds = Histogram(
            "skewline_rpc_seconds",
            "Seconds from the start of an RPC to its end.",
            ["service", "rpc"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._rpcs_open = Gauge(
            "skewline_rpcs_open", "RPCs that run now.", ["service", "rpc"], registry=self.registry
        )
        self._events = Counter(
            "skewline_events", "Events handled.", ["service", "hop", "outcome"], registry=self.registry
        )
        self._event_seconds = Histogram(
            "skewline_event_seconds",
            "Seconds from the receipt of an event to its acknowledgement.",
            ["service", "hop"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "skewline_queue_depth", "Things that wait.", ["service", "queue"], registry=self.registry
        )

        self._quarantined = Counter(
            "skewline_quarantined",
            "Snapshots rejected, contracts set aside and messages refused.",
            ["service", "kind", "reason"],
            registry=self.registry,
        )

    @classmethod
    def start(cls, service: ServiceName, settings: Settings) -> Self:
        """The metrics of `service`, served over HTTP on `network.host` unless switched off.

        Raises OSError naming the setting when the port is taken.
        """
        metrics = cls(service)
        port = settings.telemetry.metrics_port(service)
        if port is None:
            return metrics
        host = settings.network.host
        try:
            server, thread = start_http_server(port, host, metrics.registry)
        except OSError as error:
            raise OSError(
                error.errno,
                f"metrics of {service} cannot be served on {host}:{port} ({error.strerror}); "
                f"set telemetry.metrics_ports.{service} to a free port, or to 0 for any",
            ) from error
        metrics._http, metrics._http_thread = server, thread
        return metrics

    @property
    def port(self) -> int | None:
        """TCP port of the endpoint; None when there is none."""
        return None if self._http is None else self._http.server_port

    def stop(self) -> None:
        """Close the endpoint; may be called again."""
        if self._http is not None and self._http_thread is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http_thread.join()
        self._http = self._http_thread = None

    def rpc_started(self, rpc: str) -> None:
        """Count an RPC as running. `rpc` is `Service/Method`."""
        self._rpcs_open.labels(self._service, rpc).inc()

    def rpc_finished(self, rpc: str, code: str, seconds: float) -> None:
        """Count an RPC that `rpc_started` announced as finished with the status `code`."""
        self._rpcs_open.labels(self._service, rpc).dec()
        self._rpcs.labels(self._service, rpc, code).inc()
        self._rpc_seconds.labels(self._service, rpc).observe(seconds)

    def event(self, hop: str, outcome: str, seconds: float) -> None:
        """Count an event handled on `hop` (such as `surface>signal`) with its `outcome`."""
        self._events.labels(self._service, hop, outcome).inc()
        self._event_seconds.labels(self._service, hop).observe(seconds)

    def quarantined(self, kind: str, reason: str, number: int) -> None:
        """Count what was not let through: of `kind` "snapshot", "contracts" or "message", for `reason`."""
        self._quarantined.labels(self._service, kind, reason).inc(number)

    def queue_depth(self, queue: str, depth: int) -> None:
        """Set how many things wait in `queue`."""
        self._queue_depth.labels(self._service, queue).set(depth)
