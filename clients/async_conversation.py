"""One open bidirectional stream over grpc.aio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc

from skewline.clients.async_wire import AsyncWire
from skewline.clients.errors import ClientClosed, SkewlineError, Unreachable


class AsyncConversation:
    """Messages out at any time, messages in one by one; it ends with `close`, or at its block's end."""

    def __init__(self, wire: AsyncWire, rpc: str, timeout_s: float) -> None:
        self._wire = wire
        self._timeout_s = timeout_s
        self._outgoing: asyncio.Queue[Any] = asyncio.Queue()
        self._call = wire.method(rpc)(self._requests())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def send(self, message: Any) -> None:
        """Send, without waiting; if the stream is broken, `receive` says so."""
        self._outgoing.put_nowait(message)

    async def receive(self) -> Any:
        """The next message. Raises SkewlineError when there is none: the stream broke, or was ended."""
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as failed:
            raise self._wire.error_of(failed, self._timeout_s) from None
        except asyncio.CancelledError:
            if self._wire.closed:
                raise ClientClosed from None
            raise
        if response is not grpc.aio.EOF:
            return response
        if self._wire.closed:
            raise ClientClosed
        message = f"ended the stream at {self._wire.address}"
        raise Unreachable(grpc.StatusCode.UNAVAILABLE, message, service=self._wire.service)

    async def answer(self, request_id: str, timeout_s: float) -> Any:
        """The message with this `request_id`, past all others; SkewlineError if none comes in `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    response = await self.receive()
                    if response.request_id == request_id:
                        return response
        except TimeoutError:
            message = f"did not answer within {self._timeout_s:g} s at {self._wire.address}"
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            raise SkewlineError(code, message, service=self._wire.service) from None

    def close(self) -> None:
        """End it now; nothing of it stays."""
        self._call.cancel()
        self._outgoing.put_nowait(None)

    async def _requests(self) -> AsyncIterator[Any]:
        while (message := await self._outgoing.get()) is not None:
            yield message
