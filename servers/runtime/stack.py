"""The stack that the settings describe."""

from __future__ import annotations

import os
from collections.abc import Iterator

from skewline.servers.runtime.settings import SERVICES, Settings, as_environment
from skewline.servers.runtime.supervisor import ServiceSpec, Supervisor


def stack_of(settings: Settings, *, any_ports: bool = False, start_timeout: float = 60.0) -> Supervisor:
    """A supervisor, not yet started, of all five services under `settings`, and of all calibration processes.

    With `any_ports` each gets a free port instead of the one that is set: for runs that must not collide.
    """
    return Supervisor(
        settings.home,
        tuple(_specs(settings, any_ports)),
        nats_url=settings.bus.url,
        host=settings.network.host,
        environment={**os.environ, **as_environment(settings)},
        start_timeout=start_timeout,
    )


def _specs(settings: Settings, any_ports: bool) -> Iterator[ServiceSpec]:
    for name in SERVICES:
        metrics_port = settings.telemetry.metrics_port(name)
        yield ServiceSpec(
            name,
            port=0 if any_ports else settings.network.port(name),
            metrics_port=0 if any_ports else metrics_port,
        )
        # The first is where clients ask; the ports of the others are whichever are free.
        for number in range(2, settings.calibration.processes + 1 if name == "calibration" else 2):
            yield ServiceSpec(
                f"{name}-{number}", service=name, metrics_port=None if metrics_port is None else 0
            )
