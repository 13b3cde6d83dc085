"""A real server on a port of the system's choice: what clients see, and what is left behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from servers_under_test.echo import SERVICE, Echo, RunningEcho, running_echo

from skewline.servers.runtime.errors import (
    AlreadyExists,
    FieldViolation,
    InvalidArgument,
    NotFound,
    Refused,
    ResourceExhausted,
    Unavailable,
)
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.server import BindError, GrpcServer
from skewline.servers.runtime.settings import load_settings
from skewline.servers.runtime.span_store import read_trace
from skewline.servers.runtime.telemetry import Telemetry, traceparent

_ALL = ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream")
_TIMEOUT = 10.0


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[RunningEcho]:
    async with running_echo(tmp_path) as running:
        yield running


async def _first(stack: RunningEcho, name: str, message: Any, raw: bool = False, **options: Any) -> str:
    """The first answer of a method of any kind to one message."""
    requests = iter([message]) if name.startswith("Stream") else message
    call = stack.method(name, raw)(requests, timeout=_TIMEOUT, **options)
    if not name.endswith("Stream"):
        return str((await call).value)
    try:
        async for answer in call:
            return str(answer.value)
    finally:
        call.cancel()
    raise AssertionError("the stream ended without an answer")


async def _failure(stack: RunningEcho, name: str, message: Any, raw: bool = False) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _first(stack, name, message, raw)
    return caught.value


def _status(failure: grpc.aio.AioRpcError) -> Any:
    return rpc_status.from_call(cast("Any", failure))


def _health(stack: RunningEcho) -> Any:
    return health_pb2_grpc.HealthStub(stack.channel)


def _raise(error: Exception) -> Echo:
    def act(_: str) -> str:
        raise error

    return Echo(act=act)


@pytest.mark.parametrize("name", _ALL)
async def test_every_kind_of_method_answers(stack: RunningEcho, name: str) -> None:
    assert await _first(stack, name, StringValue(value="σ")) == "σ"


@pytest.mark.parametrize("name", _ALL)
@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (
            InvalidArgument([FieldViolation("legs[0].ratio", "must be above zero")]),
            grpc.StatusCode.INVALID_ARGUMENT,
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field="legs[0].ratio", description="must be above zero"
                    )
                ]
            ),
        ),
        (
            Refused("KILL_SWITCH", "trading is stopped", {"since": "10:00"}),
            grpc.StatusCode.FAILED_PRECONDITION,
            error_details_pb2.ErrorInfo(reason="KILL_SWITCH", domain="skewline", metadata={"since": "10:00"}),
        ),
        (
            NotFound("order", "o1"),
            grpc.StatusCode.NOT_FOUND,
            error_details_pb2.ResourceInfo(resource_type="order", resource_name="o1"),
        ),
        (
            AlreadyExists("order", "o1"),
            grpc.StatusCode.ALREADY_EXISTS,
            error_details_pb2.ResourceInfo(resource_type="order", resource_name="o1"),
        ),
        (
            ResourceExhausted("subscriptions", "100 are open"),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            error_details_pb2.QuotaFailure(
                violations=[
                    error_details_pb2.QuotaFailure.Violation(
                        subject="subscriptions", description="100 are open"
                    )
                ]
            ),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_errors_reach_the_client_as_rich_status(
    tmp_path: Path, name: str, error: Exception, code: grpc.StatusCode, detail: Any
) -> None:
    async with running_echo(tmp_path, _raise(error)) as stack:
        failure = await _failure(stack, name, StringValue(value="x"))
    status = _status(failure)
    assert failure.code() == code
    assert status is not None
    unpacked = type(detail)()
    assert status.details[0].Unpack(unpacked)
    assert unpacked == detail


async def test_unavailable_says_when_to_retry(tmp_path: Path) -> None:
    error = Unavailable("the bus is away", timedelta(milliseconds=1500))
    async with running_echo(tmp_path, _raise(error)) as stack:
        failure = await _failure(stack, "UnaryUnary", StringValue())
    status = _status(failure)
    info = error_details_pb2.RetryInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    assert (failure.code(), info.retry_delay.ToMilliseconds()) == (grpc.StatusCode.UNAVAILABLE, 1500)


async def test_a_peer_that_is_away_is_unavailable_not_internal(tmp_path: Path) -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nobody:
        ask: Any = nobody.unary_unary("/x/Y", StringValue.SerializeToString, StringValue.FromString)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(StringValue(), timeout=_TIMEOUT)
    async with running_echo(tmp_path, _raise(caught.value)) as stack:
        failure = await _failure(stack, "UnaryUnary", StringValue())
    assert failure.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("name", _ALL)
async def test_an_unexpected_error_shows_an_id_and_nothing_of_the_inside(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_echo(tmp_path, _raise(KeyError("secret-password"))) as stack:
        failure = await _failure(stack, name, StringValue(value="x"))
        stack.echo.act = str
        assert await _first(stack, name, StringValue(value="still up")) == "still up"
    assert failure.code() == grpc.StatusCode.INTERNAL
    message = failure.details() or ""
    assert message.startswith("internal error ")
    assert "secret-password" not in message


async def test_many_violations_with_long_foreign_text_still_fit_the_header(tmp_path: Path) -> None:
    violations = [FieldViolation(f"legs[{i}].σ", "ж" * 1000) for i in range(1000)]
    async with running_echo(tmp_path, _raise(InvalidArgument(violations))) as stack:
        failure = await _failure(stack, "UnaryUnary", StringValue())
    assert failure.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "997 more" in (failure.details() or "")


@pytest.mark.parametrize("name", _ALL)
@pytest.mark.parametrize("rubbish", [b"\x0a\xff", b"\xff" * 40, b"\x0a\x02\xc3\x28", b"\x00"])
async def test_rubbish_bytes_are_an_invalid_argument_and_the_server_stays_up(
    stack: RunningEcho, name: str, rubbish: bytes
) -> None:
    failure = await _failure(stack, name, rubbish, raw=True)
    assert failure.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "request" in (failure.details() or "")
    assert await _first(stack, name, StringValue(value="still up")) == "still up"


async def test_a_method_of_the_contract_that_is_not_offered_is_unimplemented(tmp_path: Path) -> None:
    async with running_echo(tmp_path, _raise(NotImplementedError())) as stack:
        failure = await _failure(stack, "UnaryUnary", StringValue())
    assert failure.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("name", ["UnaryUnary", "StreamUnary", "StreamStream"])
async def test_a_handler_whose_work_was_cancelled_still_answers(tmp_path: Path, name: str) -> None:
    def act(_: str) -> str:
        raise asyncio.CancelledError

    async with running_echo(tmp_path, Echo(act=act)) as stack:
        failure = await _failure(stack, name, StringValue(value="x"))
    assert (failure.code(), failure.details()) == (
        grpc.StatusCode.UNAVAILABLE,
        "the call was interrupted",
    )


async def test_an_unknown_method_is_unimplemented(stack: RunningEcho) -> None:
    ask: Any = stack.channel.unary_unary(f"/{SERVICE}/Nothing")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(b"", timeout=_TIMEOUT)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_health_answers_for_the_server_and_the_service(stack: RunningEcho) -> None:
    health = _health(stack)
    for name in ("", SERVICE):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=_TIMEOUT)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    await stack.server.set_serving(False)
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_reflection_lists_and_describes_the_service(stack: RunningEcho) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(cast("Any", stack.channel))
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    listed, described = [answer async for answer in cast("Any", stub).ServerReflectionInfo(iter(requests))]
    names = {service.name for service in listed.list_services_response.service}
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert described.file_descriptor_response.file_descriptor_proto


async def test_an_unknown_service_name_is_refused_at_once(tmp_path: Path, stack: RunningEcho) -> None:
    with pytest.raises(KeyError, match=r"skewline\.v1\.Nonsense"):
        GrpcServer(
            ["skewline.v1.Nonsense"],
            stack.echo.register,
            host="127.0.0.1",
            port=0,
            telemetry=stack.telemetry,
            metrics=stack.metrics,
        )


async def test_a_taken_port_is_named_with_the_fix(stack: RunningEcho) -> None:
    second = GrpcServer(
        [],
        stack.echo.register,
        host="127.0.0.1",
        port=stack.server.port,
        telemetry=stack.telemetry,
        metrics=Metrics("order"),
        setting="network.ports.order",
    )
    with pytest.raises(BindError) as caught:
        await second.start()
    text = str(caught.value)
    assert str(stack.server.port) in text
    assert "already in use" in text
    assert "network.ports.order" in text


async def test_an_address_of_another_machine_is_named_with_the_fix(stack: RunningEcho) -> None:
    elsewhere = GrpcServer(
        [],
        stack.echo.register,
        host="192.0.2.1",
        port=0,
        telemetry=stack.telemetry,
        metrics=Metrics("order"),
    )
    with pytest.raises(BindError, match=r"network\.host"):
        await elsewhere.start()


async def test_a_unary_call_is_a_span_below_the_callers(tmp_path: Path) -> None:
    client = Telemetry.start("client", load_settings(None, [f"home={tmp_path}"], {}))
    async with running_echo(tmp_path) as stack:
        with client.tracer.start_as_current_span("ask") as span:
            metadata = (("traceparent", traceparent()),)
            await _first(stack, "UnaryUnary", StringValue(value="x"), metadata=metadata)
            await _first(stack, "StreamStream", StringValue(value="x"), metadata=metadata)
    client.shutdown()
    trace_id = f"{span.get_span_context().trace_id:032x}"
    root, call = read_trace(tmp_path, trace_id)
    assert (root.name, root.service, root.parent_id) == ("ask", "client", None)
    assert (call.name, call.service, call.parent_id) == (f"{SERVICE}/UnaryUnary", "order", root.span_id)
    assert call.attributes["rpc.grpc.status"] == "OK"
    assert stack.echo.traces == [trace_id, trace_id]


async def test_a_failed_call_is_an_error_span(tmp_path: Path) -> None:
    parent = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    async with running_echo(tmp_path, _raise(NotFound("order", "o1"))) as stack:
        with pytest.raises(grpc.aio.AioRpcError):
            await _first(stack, "UnaryUnary", StringValue(), metadata=(("traceparent", parent),))
    (span,) = read_trace(tmp_path, "ab" * 16)
    assert (span.status, span.attributes["rpc.grpc.status"]) == ("error", "NOT_FOUND")


async def test_rubbish_trace_metadata_does_not_fail_a_call(stack: RunningEcho) -> None:
    metadata = (("traceparent", "00-zz-yy"),)
    assert await _first(stack, "UnaryUnary", StringValue(value="x"), metadata=metadata) == "x"


async def test_calls_are_counted_by_method_and_code(tmp_path: Path) -> None:
    async with running_echo(tmp_path, _raise(NotFound("order", "o1"))) as stack:
        await _failure(stack, "UnaryUnary", StringValue())
        await stack.server.stop(0)
        labels = {"service": "order", "rpc": f"{SERVICE}/UnaryUnary"}
        registry = stack.metrics.registry
        assert registry.get_sample_value("skewline_rpcs_total", {**labels, "code": "NOT_FOUND"}) == 1
        assert registry.get_sample_value("skewline_rpc_seconds_count", labels) == 1
        assert registry.get_sample_value("skewline_rpcs_open", labels) == 0


async def test_a_client_that_goes_away_closes_the_generator_in_its_own_task(stack: RunningEcho) -> None:
    call = stack.method("UnaryStream")(StringValue(value="flood"))
    async for _ in call:
        break
    call.cancel()
    await asyncio.wait_for(stack.echo.cleaned.wait(), _TIMEOUT)
    assert stack.echo.cleaned_in_own_task


async def test_a_hundred_clients_that_go_away_leave_nothing_behind(stack: RunningEcho) -> None:
    async def visit() -> None:
        call = stack.method("UnaryStream")(StringValue(value="flood"))
        async for _ in call:
            break
        call.cancel()

    await asyncio.gather(*(visit() for _ in range(100)))
    labels = {"service": "order", "rpc": f"{SERVICE}/UnaryStream"}
    registry = stack.metrics.registry
    async with asyncio.timeout(_TIMEOUT):
        while registry.get_sample_value("skewline_rpcs_open", labels) != 0:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    cancelled = registry.get_sample_value("skewline_rpcs_total", {**labels, "code": "CANCELLED"})
    assert cancelled == 100


async def test_stop_lets_a_running_call_end(stack: RunningEcho) -> None:
    call = asyncio.ensure_future(_first(stack, "UnaryUnary", StringValue(value="hold")))
    await asyncio.wait_for(stack.echo.held.wait(), _TIMEOUT)
    stopping = asyncio.create_task(stack.server.stop(_TIMEOUT))
    await asyncio.wait_for(stack.server.draining.wait(), _TIMEOUT)
    refused = await _failure(stack, "UnaryUnary", StringValue(value="too late"))
    assert refused.code() == grpc.StatusCode.UNAVAILABLE
    stack.echo.hold.set()
    assert await call == "hold"
    await asyncio.wait_for(stopping, _TIMEOUT)


async def test_stop_cancels_what_does_not_end_and_waits_for_its_cleanup(stack: RunningEcho) -> None:
    call = asyncio.ensure_future(_first(stack, "UnaryUnary", StringValue(value="hold")))
    await asyncio.wait_for(stack.echo.held.wait(), _TIMEOUT)
    await asyncio.wait_for(stack.server.stop(0.05), _TIMEOUT)
    assert stack.echo.cleaned.is_set()
    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_stop_tells_health_watchers_first_and_does_not_wait_for_them(stack: RunningEcho) -> None:
    health = _health(stack)
    seen: list[int] = []

    async def watch() -> None:
        async for answer in health.Watch(health_pb2.HealthCheckRequest()):
            seen.append(answer.status)
            if len(seen) == 1:
                watching.set()

    watching = asyncio.Event()
    watcher = asyncio.create_task(watch())
    await asyncio.wait_for(watching.wait(), _TIMEOUT)
    # Far longer than the test may take: stop must not spend it on a watcher.
    await asyncio.wait_for(stack.server.stop(grace=600), _TIMEOUT)
    with pytest.raises(grpc.aio.AioRpcError):
        await watcher
    response = health_pb2.HealthCheckResponse
    assert seen == [response.SERVING, response.NOT_SERVING]


async def test_stop_may_be_called_twice_and_frees_the_port(stack: RunningEcho) -> None:
    port = stack.server.port
    await asyncio.gather(stack.server.stop(0), stack.server.stop(0))
    await stack.server.stop(0)
    again = GrpcServer(
        [],
        stack.echo.register,
        host="127.0.0.1",
        port=port,
        telemetry=stack.telemetry,
        metrics=stack.metrics,
    )
    await again.start()
    await again.stop(0)
