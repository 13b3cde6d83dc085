"""A service with a method of each of gRPC's four kinds, on a real `GrpcServer`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from opentelemetry import trace

from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.server import GrpcServer
from skewline.servers.runtime.settings import Settings
from skewline.servers.runtime.telemetry import Telemetry

SERVICE: Final = "skewline.test.EchoService"
_KINDS: Final = {
    "UnaryUnary": (False, False),
    "UnaryStream": (False, True),
    "StreamUnary": (True, False),
    "StreamStream": (True, True),
}

Act = Callable[[str], str]


def echo_pool() -> descriptor_pool.DescriptorPool:
    """Descriptors of EchoService, and of what a server shows besides."""
    pool = descriptor_pool.DescriptorPool()
    for module in (wrappers_pb2, health_pb2, reflection_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="skewline/test/echo.proto",
        package="skewline.test",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto"],
    )
    service = file.service.add(name="EchoService")
    for name, (requests, responses) in _KINDS.items():
        service.method.add(
            name=name,
            input_type=".google.protobuf.StringValue",
            output_type=".google.protobuf.StringValue",
            client_streaming=requests,
            server_streaming=responses,
        )
    pool.AddSerializedFile(file.SerializeToString())
    return pool


@dataclass
class Echo:
    """Answers each message with `act(message)`; counts what is cleaned up, and in which task."""

    act: Act = lambda text: text
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    cleaned: asyncio.Event = field(default_factory=asyncio.Event)
    cleaned_in_own_task: bool = False
    traces: list[str] = field(default_factory=list)

    async def unary_unary(self, request: StringValue, _: Any) -> StringValue:
        self._note_trace()
        if request.value == "hold":
            await self._hold()
        return StringValue(value=self.act(request.value))

    async def unary_stream(self, request: StringValue, _: Any) -> AsyncIterator[StringValue]:
        task = asyncio.current_task()
        try:
            while True:
                yield StringValue(value=self.act(request.value))
                if request.value != "flood":
                    await self._hold()
                    return
        finally:
            self.cleaned_in_own_task = asyncio.current_task() is task
            self.cleaned.set()

    async def stream_unary(self, requests: AsyncIterator[StringValue], _: Any) -> StringValue:
        return StringValue(value="".join([self.act(request.value) async for request in requests]))

    async def stream_stream(self, requests: AsyncIterator[StringValue], _: Any) -> AsyncIterator[StringValue]:
        self._note_trace()
        try:
            async for request in requests:
                yield StringValue(value=self.act(request.value))
        finally:
            self.cleaned.set()

    def register(self, server: grpc.aio.Server) -> None:
        handlers = {
            name: getattr(grpc, f"{kind}_rpc_method_handler")(
                getattr(self, kind), StringValue.FromString, StringValue.SerializeToString
            )
            for name, kind in zip(
                _KINDS, ("unary_unary", "unary_stream", "stream_unary", "stream_stream"), strict=True
            )
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    async def _hold(self) -> None:
        self.held.set()
        try:
            await self.hold.wait()
        finally:
            self.cleaned.set()

    def _note_trace(self) -> None:
        self.traces.append(trace.format_trace_id(trace.get_current_span().get_span_context().trace_id))


@dataclass(frozen=True)
class RunningEcho:
    """A started server, its parts, and a channel to it."""

    echo: Echo
    server: GrpcServer
    settings: Settings
    telemetry: Telemetry
    metrics: Metrics
    channel: grpc.aio.Channel

    def method(self, name: str, raw: bool = False) -> Any:
        """The callable of a method of EchoService; `raw` takes bytes as they are."""
        kind = {
            (False, False): "unary_unary",
            (False, True): "unary_stream",
            (True, False): "stream_unary",
            (True, True): "stream_stream",
        }[_KINDS[name]]
        serializer = None if raw else StringValue.SerializeToString
        return getattr(self.channel, kind)(f"/{SERVICE}/{name}", serializer, StringValue.FromString)


@asynccontextmanager
async def running_echo(home: Path, echo: Echo | None = None) -> AsyncIterator[RunningEcho]:
    """EchoService on a port of the system's choice, under `home`."""
    echo = echo or Echo()
    settings = Settings(home=home)
    telemetry = Telemetry.start("order", settings)
    metrics = Metrics("order")
    server = GrpcServer(
        [SERVICE],
        echo.register,
        host="127.0.0.1",
        port=0,
        telemetry=telemetry,
        metrics=metrics,
        pool=echo_pool(),
    )
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield RunningEcho(echo, server, settings, telemetry, metrics, channel)
    finally:
        await server.stop(0)
        telemetry.shutdown()
