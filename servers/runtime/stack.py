"""The stack that the settings describe."""

from __future__ import annotations

import os

from skewline.servers.runtime.settings import SERVICES, Settings, as_environment
from skewline.servers.runtime.supervisor import ServiceSpec, Supervisor


def stack_of(settings: Settings, *, any_ports: bool = False, start_timeout: float = 60.0) -> Supervisor:
    """A supervisor, not yet started, of all five services under `settings`.

    With `any_ports` each gets a free port instead of the one that is set: for runs that must not collide.
    """
    specs = [
        ServiceSpec(
            name,
            port=0 if any_ports else settings.network.port(name),
            metrics_port=0 if any_ports else settings.telemetry.metrics_port(name),
        )
        for name in SERVICES
    ]
    return Supervisor(
        settings.home,
        specs,
        nats_url=settings.bus.url,
        host=settings.network.host,
        environment={**os.environ, **as_environment(settings)},
        start_timeout=start_timeout,
    )
