"""When a child process can be used."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeAlias

import grpc
from grpc_health.v1 import health_pb2

Ready: TypeAlias = Callable[[], Awaitable[None]]
"""Returns when the process is ready; waits for ever otherwise."""

_PAUSE: Final = 0.05
_CALL_TIMEOUT: Final = 2.0


async def grpc_serving(address: str, service: str = "") -> None:
    """Until the server at `address` reports SERVING for `service` ("" is the server as a whole)."""
    request = health_pb2.HealthCheckRequest(service=service)
    # A channel of its own each time: one that failed before the server listened would back off for seconds.
    while True:
        async with grpc.aio.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            with suppress(grpc.aio.AioRpcError):
                answer = await check(request, timeout=_CALL_TIMEOUT)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
        await asyncio.sleep(_PAUSE)


async def nats_serving(host: str, port: int) -> None:
    """Until a NATS server with JetStream greets at the port."""
    while True:
        with suppress(OSError, ValueError):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                greeting = await reader.readline()
                if json.loads(greeting.removeprefix(b"INFO ")).get("jetstream"):
                    return
            finally:
                writer.close()
        await asyncio.sleep(_PAUSE)
