"""Calibration processes as the supervisor starts them, on a bus of their own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from skewline.servers.runtime.settings import as_environment, load_settings
from skewline.servers.runtime.supervisor import ServiceSpec, Supervisor


def process_names(count: int) -> list[str]:
    """What `count` processes are called."""
    return ["calibration", *(f"calibration-{number}" for number in range(2, count + 1))]


@asynccontextmanager
async def calibration_processes(home: Path, count: int, *overrides: str) -> AsyncIterator[Supervisor]:
    """`count` processes that share the chains, with `overrides` (`section.field=value`)."""
    given = [f"home={home}", f"calibration.processes={count}", *overrides]
    settings = load_settings(None, given, environment={})
    specs = [ServiceSpec(name, service="calibration") for name in process_names(count)]
    async with Supervisor(home, specs, environment={**os.environ, **as_environment(settings)}) as stack:
        yield stack
