"""What happens around every RPC: parsing, trace, metrics, and errors to status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NoReturn, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry import context as otel_context
from opentelemetry import trace

from skewline.servers.runtime.errors import FieldViolation, InvalidArgument, Unavailable, status_of
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.telemetry import TRACEPARENT, context_from

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Parse: TypeAlias = Callable[[bytes], Any]
Serialize: TypeAlias = Callable[[Any], bytes]

_INFRASTRUCTURE: Final = "/grpc."
_STATUS_DETAILS: Final = "grpc-status-details-bin"
_RETRY_AFTER: Final = timedelta(seconds=1)
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class Unreadable(InvalidArgument):
    """A request that is no message of its method; `raw` are its bytes."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        fix = "is not a valid message of this method; encode it with the published .proto files"
        super().__init__([FieldViolation("request", fix)])


@dataclass(frozen=True, slots=True)
class _Wrapped:
    inner: Handler
    outer: Handler


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps each method once, on its first call; a call then costs no new closures.

    The wrapped method takes and gives bytes, so that a request that does not parse becomes
    INVALID_ARGUMENT (grpc itself would answer UNKNOWN with a Python message), and a response
    generator is closed in its own task the moment the client goes away (grpc leaves that to the
    garbage collector, in another task).
    Streams must answer as async generators: `context.read` and `context.write` are not for servicers.
    A unary call gets a span; a stream only the caller's trace as context, since one span a stream
    says nothing and one a message costs too much: who handles a message starts its span.
    Health and reflection pass through untouched.
    """

    def __init__(self, tracer: trace.Tracer, metrics: Metrics) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._wrapped: dict[str, _Wrapped] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._refusing = False

    @property
    def running(self) -> frozenset[asyncio.Task[Any]]:
        """The tasks of RPCs that have not ended."""
        return frozenset(self._running)

    def refuse_new(self) -> None:
        """Answer every call from now on with UNAVAILABLE; those that run go on."""
        self._refusing = True

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler, wrapped."""
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or method.startswith(_INFRASTRUCTURE):
            return handler
        known = self._wrapped.get(method)
        if known is None or known.inner is not handler:
            known = self._wrapped[method] = _Wrapped(handler, self._wrap(method.lstrip("/"), handler))
        return known.outer

    def _wrap(self, rpc: str, handler: Handler) -> Handler:
        read = _read_stream if handler.request_streaming else _read_one
        respond = _respond_stream if handler.response_streaming else _respond_one
        behaviour = _BEHAVIOUR[handler.request_streaming, handler.response_streaming]
        method = getattr(handler, behaviour)
        parse: Parse = handler.request_deserializer or _as_is
        serialize: Serialize = handler.response_serializer or _as_is
        traced = not handler.request_streaming and not handler.response_streaming

        async def call(request: Any, context: Context) -> bytes | None:
            if self._refusing:
                await _abort(context, status_of(Unavailable("the service is stopping", _RETRY_AFTER), rpc))
            return await self._run(
                rpc, context, traced, lambda: respond(method, read(request, parse), context, serialize)
            )

        make = getattr(grpc, f"{behaviour}_rpc_method_handler")
        outer: Handler = make(call)
        return outer

    async def _run(
        self, rpc: str, context: Context, with_span: bool, body: Callable[[], Awaitable[bytes | None]]
    ) -> bytes | None:
        task = asyncio.current_task()
        if task is not None:
            self._running.add(task)
            # Until the task's own end, not the handler's: grpc sends the status in between.
            task.add_done_callback(self._running.discard)
        parent = context_from(_traceparent(context))
        span = (
            self._tracer.start_span(rpc, parent, kind=trace.SpanKind.SERVER, attributes=_attributes(rpc))
            if with_span
            else trace.get_current_span(parent)
        )
        # An RPC has a task, and so a contextvars context, of its own: nothing to detach at its end.
        otel_context.attach(trace.set_span_in_context(span, parent))
        started = time.perf_counter()
        self._metrics.rpc_started(rpc)
        code = "OK"
        try:
            return await body()
        except asyncio.CancelledError:
            if task is None or task.cancelling():
                code = "CANCELLED"
                raise
            # Not the call but something it waited for was cancelled: grpc would never answer the client.
            code = "UNAVAILABLE"
            await _abort(context, status_of(Unavailable("the call was interrupted", _RETRY_AFTER), rpc))
        except grpc.aio.AbortError:
            code = _name(context.code())
            raise
        except Exception as error:  # noqa: BLE001 - whatever a servicer raises becomes a status
            status = status_of(error, rpc)
            code = _name(status.code)
            span.set_attribute("error.message", status.message)
            await _abort(context, status)
        finally:
            self._metrics.rpc_finished(rpc, code, time.perf_counter() - started)
            if with_span:
                span.set_attribute("rpc.grpc.status", code)
                if code != "OK":
                    span.set_status(trace.StatusCode.ERROR)
                span.end()


_BEHAVIOUR: Final = {
    (False, False): "unary_unary",
    (False, True): "unary_stream",
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


class _Requests:
    """The messages of a request stream, each parsed when it is asked for."""

    __slots__ = ("_parse", "_raw")

    def __init__(self, raw: AsyncIterator[bytes], parse: Parse) -> None:
        self._raw = aiter(raw)
        self._parse = parse

    def __aiter__(self) -> _Requests:
        return self

    async def __anext__(self) -> Any:
        return _parsed(await anext(self._raw), self._parse)


def _read_one(raw: bytes, parse: Parse) -> Any:
    return _parsed(raw, parse)


def _read_stream(raw: AsyncIterator[bytes], parse: Parse) -> Any:
    return _Requests(raw, parse)


async def _respond_one(method: Any, request: Any, context: Context, serialize: Serialize) -> bytes:
    return serialize(await method(request, context))


async def _respond_stream(method: Any, request: Any, context: Context, serialize: Serialize) -> None:
    async with aclosing(method(request, context)) as responses:
        async for response in responses:
            await context.write(serialize(response))


def _parsed(raw: bytes, parse: Parse) -> Any:
    try:
        return parse(raw)
    except DecodeError as error:
        raise Unreadable(raw) from error


def _as_is(value: Any) -> Any:
    return value


def _traceparent(context: Context) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == TRACEPARENT:
            return value if isinstance(value, str) else None
    return None


def _attributes(rpc: str) -> dict[str, str]:
    service, _, method = rpc.partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _name(code: Any) -> str:
    number = code.value[0] if isinstance(code, grpc.StatusCode) else code
    known = _CODES.get(number)
    return "UNKNOWN" if known is None else known.name


async def _abort(context: Context, status: status_pb2.Status) -> NoReturn:
    await context.abort(_CODES[status.code], status.message, ((_STATUS_DETAILS, status.SerializeToString()),))
