"""The gRPC server of one service: health, reflection, limits, start and graceful stop."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from skewline.servers.runtime.interceptor import CallInterceptor
from skewline.servers.runtime.logs import logger
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.telemetry import Telemetry

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # With SO_REUSEPORT a second server on the port would start and take half of the connections.
    ("grpc.so_reuseport", 0),
    # A peer that vanished without a word is noticed, and its streams cancelled, within 30 s.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
_HEALTH_WAIT_S: Final = 1.0
_WATCHERS_GRACE_S: Final = 0.1
_CLEANUP_WAIT_S: Final = 2.0
_BIND_REASONS: Final = {
    errno.EADDRINUSE: "it is already in use; stop what uses it, or choose another with {setting}",
    errno.EACCES: "ports below 1024 need privileges; choose another with {setting}",
    errno.EADDRNOTAVAIL: "this machine does not have that address; set network.host to one it has",
}


class BindError(Exception):
    """The server cannot listen where it was told to; the message names port, cause and fix."""


class GrpcServer:
    """A grpc.aio server with the standard health and reflection services.

    Every call is traced, counted, and its errors mapped (see `CallInterceptor`).
    """

    def __init__(
        self,
        service_names: Sequence[str],
        register: Callable[[grpc.aio.Server], None],
        *,
        host: str,
        port: int,
        telemetry: Telemetry,
        metrics: Metrics,
        setting: str = "--set network.ports.<service>=PORT",
        pool: descriptor_pool.DescriptorPool | None = None,
    ) -> None:
        """Nothing listens before `start`.

        `service_names` are full protobuf names (`skewline.v1.OrderService`), each known to `pool`
        (KeyError otherwise); `register` adds the servicers to the server; `port` 0 lets the system
        choose; `setting` is what an error tells the operator to change.
        """
        self._names = tuple(service_names)
        self._register = register
        self._host = host
        self._wanted_port = port
        self._setting = setting
        self._pool = pool or descriptor_pool.Default()
        for name in self._names:
            self._pool.FindServiceByName(name)
        self._calls = CallInterceptor(telemetry.tracer, metrics)
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._port = 0
        self.draining: Final = asyncio.Event()
        """Set when `stop` begins: long-lived streams should end themselves then."""

    @property
    def port(self) -> int:
        """The TCP port that the server listens on; 0 before `start`."""
        return self._port

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return _address(self._host, self._port)

    async def start(self) -> None:
        """Listen, and report SERVING for the server and each of its services; raises BindError."""
        server = grpc.aio.server(interceptors=(self._calls,), options=_OPTIONS)
        self._register(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        shown = (*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(shown, server, self._pool)
        try:
            self._port = server.add_insecure_port(_address(self._host, self._wanted_port))
        except RuntimeError as error:
            raise BindError(self._bind_problem()) from error
        await server.start()
        self._server = server
        await self.set_serving(True)
        logger(__name__).info("listening", address=self.address, services=list(self._names))

    async def set_serving(self, serving: bool) -> None:
        """Report the health of the server and its services, such as while a dependency is away."""
        response = health_pb2.HealthCheckResponse
        status = response.SERVING if serving else response.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)

    async def stop(self, grace: float = 5.0) -> None:
        """Report NOT_SERVING, refuse new calls, let running ones end for `grace` s, cancel the rest.

        Returns when every handler has run its clean-up, or 2 s after it was cancelled. May be
        called again, meanwhile, and before `start`.
        """
        self.draining.set()
        if self._server is None:
            return
        # grpc crashes when two calls of its stop() overlap, or one is cancelled: there is only one.
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(self._server, grace))
        await asyncio.shield(self._stopping)

    async def _stop(self, server: grpc.aio.Server, grace: float) -> None:
        self._calls.refuse_new()
        # A watcher that does not read holds the health servicer's lock: do not wait for it.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._health.enter_graceful_shutdown(), _HEALTH_WAIT_S)
        if running := self._calls.running:
            await asyncio.wait(running, timeout=grace)
        # What is open now is out of time, or a health watcher, which never ends by itself.
        await server.stop(_WATCHERS_GRACE_S)
        # grpc does not wait for what handlers do after their status was sent (grpc#37239).
        if running := self._calls.running:
            _, stuck = await asyncio.wait(running, timeout=_CLEANUP_WAIT_S)
            for task in stuck:
                logger(__name__).warning("rpc_does_not_end", task=task.get_name())

    async def wait(self) -> None:
        """Wait until the server has stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    def _bind_problem(self) -> str:
        where = _address(self._host, self._wanted_port)
        number = _bind_errno(self._host, self._wanted_port)
        reason = _BIND_REASONS.get(number, "the system refused it; set network.host and {setting}")
        return f"cannot listen on {where}: {reason.format(setting=self._setting)}"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind_errno(host: str, port: int) -> int:
    """Why binding fails, which grpc does not say: the errno of trying it plainly; 0 if it works."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return errno.EADDRNOTAVAIL if isinstance(error, socket.gaierror) else error.errno or 0
    return 0
