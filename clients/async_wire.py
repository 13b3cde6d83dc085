"""The grpc.aio channel to one service."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc

from skewline.clients.channel import CHANNEL_OPTIONS
from skewline.clients.errors import ClientClosed, SkewlineError, error_of


class AsyncWire:
    """The channel to one service, shared by all links to it."""

    def __init__(self, service: str, address: str, stub: Any) -> None:
        self.service = service
        self.address = address
        self.closed = False
        self.channel = grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
        self.stub = stub(self.channel)
        self.health: Any = health_pb2_grpc.HealthStub(self.channel)

    def method(self, rpc: str) -> Any:
        """The callable of an rpc."""
        if self.closed:
            raise ClientClosed
        return getattr(self.stub, rpc)

    def error_of(self, failed: grpc.aio.AioRpcError, timeout_s: float) -> SkewlineError:
        """What a failed call means."""
        return ClientClosed() if self.closed else error_of(failed, self.service, self.address, timeout_s)

    async def close(self) -> None:
        """Close the channel; what runs on it ends with ClientClosed."""
        self.closed = True
        await self.channel.close()
