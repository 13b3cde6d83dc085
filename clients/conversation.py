"""One open bidirectional stream, blocking."""

from __future__ import annotations

import queue
import threading
from typing import Any, Self

import grpc

from skewline.clients.errors import ClientClosed, SkewlineError, Unreachable
from skewline.clients.wire import Wire


class Conversation:
    """Messages out at any time, messages in one by one; it ends with `close`, or at its block's end."""

    def __init__(self, wire: Wire, rpc: str, timeout_s: float) -> None:
        self._wire = wire
        self._timeout_s = timeout_s
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._call = wire.method(rpc)(iter(self._outgoing.get, None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, message: Any) -> None:
        """Send, without waiting; if the stream is broken, `receive` says so."""
        self._outgoing.put(message)

    def receive(self) -> Any:
        """The next message. Raises SkewlineError when there is none: the stream broke, or was ended."""
        try:
            return next(self._call)
        except StopIteration:
            if self._wire.closed:
                raise ClientClosed from None
            message = f"ended the stream at {self._wire.address}"
            raise Unreachable(grpc.StatusCode.UNAVAILABLE, message, service=self._wire.service) from None
        except grpc.RpcError as failed:
            raise self._wire.error_of(failed, self._timeout_s) from None

    def answer(self, request_id: str, timeout_s: float) -> Any:
        """The message with this `request_id`, past all others; SkewlineError if none comes in `timeout_s`."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._call.cancel()

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            while True:
                response = self.receive()
                if response.request_id == request_id:
                    return response
        except SkewlineError:
            if not late.is_set():
                raise
            message = f"did not answer within {self._timeout_s:g} s at {self._wire.address}"
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            raise SkewlineError(code, message, service=self._wire.service) from None
        finally:
            timer.cancel()

    def close(self) -> None:
        """End it now; nothing of it stays."""
        self._call.cancel()
        self._outgoing.put(None)
