"""Settings of the network: where services listen and where they find each other."""

import ipaddress
from collections import Counter
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from skewline.servers.runtime.settings.ports import ServicePorts
from skewline.servers.runtime.settings.section import Section
from skewline.servers.runtime.settings.service_name import SERVICES, ServiceName

Address = Annotated[str, Field(pattern=r"^(unix:.+|[^\s]+:[0-9]{1,5})$")]


class PeerAddresses(Section):
    """`host:port` at which each service is reached, where that is not `network.host` and its port."""

    marketdata: Address | None = None
    """Address of the market data service."""
    calibration: Address | None = None
    """Address of the calibration service."""
    signal: Address | None = None
    """Address of the signal service."""
    risk: Address | None = None
    """Address of the risk service."""
    order: Address | None = None
    """Address of the order service."""


class NetworkSettings(Section):
    """Where services listen and where they find each other."""

    allow_remote: bool = False
    """Whether a service may listen on an address that other machines reach."""

    host: str = "127.0.0.1"
    """Address on which services listen."""

    ports: ServicePorts = ServicePorts()
    """Port of each service."""

    peers: PeerAddresses = PeerAddresses()
    """Addresses of services that run elsewhere."""

    @field_validator("host")
    @classmethod
    def _loopback_unless_allowed(cls, host: str, info: ValidationInfo) -> str:
        if not _is_loopback(host) and not info.data.get("allow_remote", False):
            raise ValueError(
                "other machines could reach this address; "
                "use 127.0.0.1, or set network.allow_remote=true if that is meant"
            )
        return host

    @field_validator("ports")
    @classmethod
    def _one_service_a_port(cls, ports: ServicePorts) -> ServicePorts:
        uses = Counter(port for port in (getattr(ports, name) for name in SERVICES) if port)
        for port, count in uses.items():
            if count > 1:
                sharing = " and ".join(n for n in SERVICES if getattr(ports, n) == port)
                raise ValueError(f"{sharing} have the same port {port}; give each its own")
        return ports

    def port(self, service: ServiceName) -> int:
        """The port on which `service` listens; 0 lets the system choose."""
        port: int = getattr(self.ports, service)
        return port

    def address(self, service: ServiceName) -> str:
        """`host:port` at which `service` is reached.

        Raises ValueError when its port is left to the system and no peer address is given.
        """
        peer: str | None = getattr(self.peers, service)
        if peer is not None:
            return peer
        port = self.port(service)
        if port == 0:
            raise ValueError(
                f"network.ports.{service} is 0 (chosen by the system), so others cannot find the "
                f"service; set network.peers.{service} to its host:port"
            )
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
