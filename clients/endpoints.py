"""Where the services are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, Self

from skewline.clients.errors import NoStack, bad_input
from skewline.clients.stack import Stack, running_stack

_MOST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`host:port` of each service; empty where it is not known."""

    marketdata: str = ""
    calibration: str = ""
    signal: str = ""
    risk: str = ""
    order: str = ""

    @classmethod
    def of_running_stack(cls, home: Path | str | None = None) -> Self:
        """Those of the stack at `home` (default: SKEWLINE_HOME, else ~/.skewline). Raises NoStack."""
        return cls.of_stack(running_stack(home))

    @classmethod
    def of_stack(cls, stack: Stack) -> Self:
        """Those that a stack's supervisor gave out."""
        return cls(
            **{name: process.address for name, process in stack.processes.items() if name in SERVICE_NAMES}
        )

    def at(self, addresses: Mapping[str, str]) -> Self:
        """These, with some services elsewhere. Raises SkewlineError for no service or no `host:port`."""
        for service, address in addresses.items():
            if service not in SERVICE_NAMES:
                raise bad_input("address", f"{service!r} is no service; one of {', '.join(SERVICE_NAMES)}")
            if not _is_address(address):
                raise bad_input("address", f"of {service} must be host:port, not {address!r}")
        return replace(self, **addresses)

    def of(self, service: str) -> str:
        """The address of one service. Raises NoStack when it is not known."""
        address: str = getattr(self, service)
        if not address:
            raise NoStack(
                f"{service}: no address known; start the stack with `skewline up`, "
                f"or give one (--address {service}=HOST:PORT)"
            )
        return address


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return text.startswith("unix:") or bool(host and port.isdecimal() and 0 < int(port) <= _MOST_PORT)


SERVICE_NAMES: Final = tuple(field.name for field in fields(Endpoints))
"""The five services, in the order in which an event passes through them."""
