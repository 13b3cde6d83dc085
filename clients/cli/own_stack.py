"""A stack that a command starts, shows while it comes up, and stops."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from skewline.clients.cli.stack_watch import watching
from skewline.clients.demo.screen import screen_on
from skewline.clients.stack import running_stack

if TYPE_CHECKING:
    from rich.console import Console

    from skewline.clients.stack import StackProcess
    from skewline.servers.runtime.settings import Settings
    from skewline.servers.runtime.supervisor import Supervisor


@asynccontextmanager
async def own_stack(settings: Settings, console: Console, *, any_ports: bool) -> AsyncIterator[Supervisor]:
    """The stack of `settings`, serving inside the block; SIGINT and SIGTERM let its `wait` return.

    Raises what Supervisor raises when it cannot start.
    """
    from skewline.servers.runtime.stack import stack_of

    # The commands say themselves what goes down and comes back.
    logging.getLogger("skewline.servers.runtime").addHandler(logging.NullHandler())
    supervisor = stack_of(settings, any_ports=any_ports)
    async with AsyncExitStack() as running:
        with screen_on(console) as screen:

            def show(processes: Mapping[str, StackProcess]) -> None:
                screen.services({name: process.state for name, process in processes.items()})

            async with watching(settings.home, show):
                await running.enter_async_context(supervisor)
            show(running_stack(settings.home).processes)
        supervisor.stop_on_signals()
        yield supervisor
