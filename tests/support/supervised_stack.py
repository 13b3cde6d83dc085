"""A supervisor in a process of its own, for tests that kill it: `supervised_stack.py HOME [BEHAVIOUR]`."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import health_service

from skewline.servers.runtime.supervisor import ServiceSpec, StartInterrupted, Supervisor


def health_spec(name: str, behaviour: str = "") -> ServiceSpec:
    """The tiny health service under the name of a real one."""
    program = health_service.__file__
    assert program is not None
    return ServiceSpec(name, metrics_port=None, command=(sys.executable, program, name, behaviour))


async def run(home: Path, *behaviour: str) -> None:
    stack = Supervisor(home, [health_spec("risk", *behaviour)])
    stack.stop_on_signals()
    with suppress(StartInterrupted):
        async with stack:
            await stack.wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), *sys.argv[2:]))
