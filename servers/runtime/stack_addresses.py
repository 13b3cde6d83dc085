"""Where the processes of a stack listen, and how they are told of each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from skewline.servers.runtime.ports import free_port, in_use

NATS: Final = "nats"
"""Name of the process that is the bus."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service to run."""

    name: str
    """Of the process; the same as its service's but for a further process of that."""
    service: str = ""
    """Which service it runs; empty: the one of its name."""
    port: int = 0
    """gRPC port; 0 picks a free one, which it keeps over restarts."""
    metrics_port: int | None = 0
    """Prometheus port; 0 picks one; None: it serves none."""
    command: tuple[str, ...] = ()
    """Instead of `python -m skewline.servers <name>`; the first is the program's path."""
    arguments: tuple[str, ...] = ()
    """Added to the command, such as `--config FILE`."""
    health: str = ""
    """Name to ask the health service for; "" is the server as a whole."""


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """Host, ports and bus of a stack, the same for as long as it runs."""

    host: str
    nats_url: str
    ports: Mapping[str, int]
    """gRPC port of each service, and the port of "nats" if the stack runs it."""
    metrics_ports: Mapping[str, int]
    runs: Mapping[str, str]
    """Service of each process."""

    @classmethod
    def choose(cls, host: str, services: Iterable[ServiceSpec], nats_url: str | None, nats_port: int) -> Self:
        """Take the ports that are given and pick free ones for the rest.

        Raises OSError naming the setting of a port that another program holds: whatever answers there would
        pass for the service.
        """
        services = tuple(services)
        ports: dict[str, int] = {}
        metrics_ports: dict[str, int] = {}

        def given(port: int, setting: str) -> int:
            if in_use(host, port):
                raise OSError(f"{setting}: {host}:{port} is in use by another program; set it to a free port")
            return port

        def unused() -> int:
            while (port := free_port(host)) in {*ports.values(), *metrics_ports.values()}:
                continue
            return port

        if nats_url is None:
            ports[NATS] = nats_port or unused()
        for service in services:
            name = service.name
            ports[name] = given(service.port, f"network.ports.{name}") if service.port else unused()
            if service.metrics_port is not None:
                metrics_ports[name] = (
                    given(service.metrics_port, f"telemetry.metrics_ports.{name}")
                    if service.metrics_port
                    else unused()
                )
        runs = {service.name: service.service or service.name for service in services}
        return cls(host, nats_url or f"nats://{host}:{ports[NATS]}", ports, metrics_ports, runs)

    def of(self, name: str) -> str:
        """`host:port`. Raises KeyError for what is not of this stack."""
        return f"{self.host}:{self.ports[name]}"

    def metrics_of(self, name: str) -> str:
        """`host:port` of the Prometheus endpoint, "" when there is none."""
        return f"{self.host}:{self.metrics_ports[name]}" if name in self.metrics_ports else ""

    def environment(self, home: Path, process: str = "") -> dict[str, str]:
        """The settings that make every process use these addresses and `home`.

        Those of `process` make it listen at its own: a service's second process not where its first does.
        """
        settings = {
            "SKEWLINE_HOME": str(home),
            "SKEWLINE_BUS__URL": self.nats_url,
            "SKEWLINE_NETWORK__HOST": self.host,
        }
        for name, service in self.runs.items():
            if name not in (service, process):
                continue
            settings[f"SKEWLINE_NETWORK__PORTS__{service.upper()}"] = str(self.ports[name])
            if name in self.metrics_ports:
                settings[f"SKEWLINE_TELEMETRY__METRICS_PORTS__{service.upper()}"] = str(
                    self.metrics_ports[name]
                )
        return settings
