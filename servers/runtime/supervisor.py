"""The whole stack on one machine: nats-server and the services, kept running, stopped in order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from prometheus_client import CollectorRegistry, Counter, Gauge

from skewline.servers.runtime.home_lock import HomeInUse, HomeLock
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.process import Command
from skewline.servers.runtime.readiness import Ready, grpc_serving, nats_serving
from skewline.servers.runtime.settings.url import mask
from skewline.servers.runtime.stack_addresses import NATS, ServiceSpec, StackAddresses
from skewline.servers.runtime.stack_file import StackPhase, StackState, remove_stack, write_stack
from skewline.servers.runtime.supervised import RestartPolicy, StartFailed, Supervised

__all__ = [
    "HomeInUse",
    "RestartPolicy",
    "ServiceSpec",
    "StackFailed",
    "StartFailed",
    "StartInterrupted",
    "Supervisor",
]


class StartInterrupted(RuntimeError):
    """A stop was requested while the stack started; all is stopped."""


class StackFailed(RuntimeError):
    """A process was given up; the message has the end of its log."""


class Supervisor:
    """Runs a nats-server (unless `nats_url` is given) and `services`; use with `async with`.

    Entering starts everything and returns when all are healthy, or raises: HomeInUse when another supervisor
    runs at `home`, NatsServerError without a nats-server program, StartFailed with the end of the log of what
    did not come up, StartInterrupted when a stop was requested meanwhile. `environment` is what the children
    get besides the addresses (by default this process's own). `host` is where all listen. Each must be
    ready within `start_timeout` seconds and gets `grace` seconds to stop. Start it from a thread that lives
    on: children are killed when that thread ends.
    """

    def __init__(
        self,
        home: Path,
        services: Sequence[ServiceSpec],
        *,
        nats_url: str | None = None,
        nats_port: int = 0,
        host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        start_timeout: float = 60.0,
        grace: float = 10.0,
        policy: RestartPolicy | None = None,
    ) -> None:
        self.home = home.absolute()
        self.registry: Final = CollectorRegistry()
        """Prometheus metrics of the supervisor itself."""
        self._host = host
        self._start_timeout = start_timeout
        self._grace = grace
        self._policy = policy or RestartPolicy()
        self._services = {spec.name: spec for spec in services}
        self._nats_url = nats_url
        self._nats_port = nats_port
        self._environment = dict(os.environ if environment is None else environment)
        self._addresses = StackAddresses(host, nats_url or "", {}, {}, {})
        self._processes: dict[str, Supervised] = {}
        self._phase: StackPhase = "starting"
        self._started_ns = 0
        self._problem = ""
        self._over = asyncio.Event()
        self._counted: dict[str, int] = {}
        self._held = ExitStack()
        self._restarts = Counter("skewline_restarts", "Restarts.", ["process"], registry=self.registry)
        self._serving = Gauge("skewline_serving", "1 while ready.", ["process"], registry=self.registry)

    @property
    def nats_url(self) -> str:
        """URL of the bus."""
        return self._addresses.nats_url

    @property
    def state(self) -> StackState:
        """What runs, as in the stack file."""
        processes = {name: process.state for name, process in self._processes.items()}
        return StackState(
            os.getpid(), self._started_ns, self._phase, mask(self.nats_url), self._problem, processes
        )

    def address(self, service: str) -> str:
        """`host:port` of a service. Raises KeyError for one that is not of this stack."""
        return self._addresses.of(service)

    def request_stop(self) -> None:
        """Let `wait` return; interrupt the start."""
        self._over.set()

    def stop_on_signals(self) -> None:
        """Let `wait` return at SIGINT or SIGTERM; call it before entering, so that it holds for the start.

        Undone when the stack stops.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.request_stop)
            self._held.callback(loop.remove_signal_handler, number)

    async def wait(self) -> None:
        """Until a stop is requested. Raises StackFailed when a process was given up."""
        await self._over.wait()
        if self._phase == "failed":
            raise StackFailed(self._problem)

    async def __aenter__(self) -> Self:
        try:
            self._held.enter_context(HomeLock(self.home))
        except HomeInUse:
            self._held.close()
            raise
        try:
            self._started_ns = time.time_ns()
            self._addresses = StackAddresses.choose(
                self._host, self._services.values(), self._nats_url, self._nats_port
            )
            await self._start_or_stop()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start_or_stop(self) -> None:
        starting, over = asyncio.create_task(self._start()), asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({starting, over}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                raise StartInterrupted("the stack was told to stop before all services were ready")
            starting.result()
        finally:
            starting.cancel()
            over.cancel()
            await asyncio.gather(starting, over, return_exceptions=True)

    async def _start(self) -> None:
        if self._nats_url is None:
            self._processes[NATS] = self._nats()
        for spec in self._services.values():
            self._processes[spec.name] = self._service(spec)
        if NATS in self._processes:
            await self._processes[NATS].start()
        # Side by side: they wait for each other by themselves, and most of a start is importing.
        try:
            async with asyncio.TaskGroup() as starting:
                for name in self._services:
                    starting.create_task(self._processes[name].start())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        self._phase = "running"
        self._record()

    async def _stop(self) -> None:
        self._phase = "stopping"
        for process in reversed(self._processes.values()):
            await process.stop()
        remove_stack(self.home)
        self._held.close()

    def _nats(self) -> Supervised:
        server = NatsServer(self.home / "nats", port=self._addresses.ports[NATS], host=self._host)
        return self._supervised(
            NATS, server.command(), partial(nats_serving, self._host, self._addresses.ports[NATS])
        )

    def _service(self, spec: ServiceSpec) -> Supervised:
        program = spec.command or (sys.executable, "-m", "skewline.servers", spec.service or spec.name)
        return self._supervised(
            spec.name,
            [*program, *spec.arguments],
            partial(grpc_serving, self.address(spec.name), spec.health),
        )

    def _supervised(self, name: str, arguments: list[str], ready: Ready) -> Supervised:
        log = self.home / "logs" / f"{name}.log"
        if log.exists():
            log.replace(log.with_name(f"{name}.log.1"))
        return Supervised(
            Command(name, arguments, self._environment | self._addresses.environment(self.home, name), log),
            ready,
            policy=self._policy,
            start_timeout=self._start_timeout,
            grace=self._grace,
            changed=self._record,
            address=self.address(name),
            metrics=self._addresses.metrics_of(name),
        )

    def _record(self) -> None:
        for name, process in self._processes.items():
            self._serving.labels(name).set(process.phase == "serving")
            self._restarts.labels(name).inc(process.restarts - self._counted.get(name, 0))
            self._counted[name] = process.restarts
            if process.phase == "failed" and self._phase == "running":
                self._phase, self._problem = "failed", process.problem
                self._over.set()
        write_stack(self.home, self.state)
