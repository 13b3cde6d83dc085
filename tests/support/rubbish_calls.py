"""Every rpc of the contract called with bytes that are none of its messages, or all too strange ones."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from rubbish_messages import Rubbish

FULL_NAMES: Final = {
    "marketdata": "skewline.v1.MarketDataService",
    "calibration": "skewline.v1.CalibrationService",
    "signal": "skewline.v1.SignalService",
    "risk": "skewline.v1.RiskService",
    "order": "skewline.v1.OrderService",
}
_DEADLINE_S: Final = 20.0
_QUIET_S: Final = 0.3
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: its status, or QUIET for a stream that stays open without a word."""

    method: str
    request: bytes
    code: str
    message: str = ""
    details: status_pb2.Status | None = None

    @property
    def violations(self) -> list[error_details_pb2.BadRequest.FieldViolation]:
        """The fields said to be wrong."""
        bad = error_details_pb2.BadRequest()
        for detail in self.details.details if self.details is not None else ():
            detail.Unpack(bad)
        return list(bad.field_violations)


def methods_of(service: str) -> list[MethodDescriptor]:
    """The rpcs of a service such as "risk"."""
    return list(descriptor_pool.Default().FindServiceByName(FULL_NAMES[service]).methods)


def rubbish_for(
    method: MethodDescriptor, seed: int, rounds: int, sound: Sequence[Message] = ()
) -> list[bytes]:
    """Requests of `method`: random bytes, random messages, spoiled ones, and `sound` ones bent.

    None carries a request_id: whatever else is right about it, a request that changes something is refused.
    """
    rubbish = Rubbish(random.Random(f"{seed} {method.full_name}"))
    kind = message_factory.GetMessageClass(method.input_type)
    requests = [b"", rubbish.random.randbytes(40)]
    for _ in range(rounds):
        made = _unnamed(rubbish.message(kind)).SerializeToString()
        requests += [made, rubbish.spoiled(made)] if not made or rubbish.random.random() < 0.3 else [made]
    for message in sound:
        requests += [_unnamed(rubbish.bent(message)).SerializeToString() for _ in range(rounds)]
    return [request for request in requests if not _names_itself(kind, request)]


async def call_all(address: str, method: MethodDescriptor, requests: Sequence[bytes]) -> list[Answer]:
    """The answers to `requests`, several at a time."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    limit = asyncio.Semaphore(_AT_ONCE)
    async with grpc.aio.insecure_channel(address) as channel:

        async def one(request: bytes) -> Answer:
            async with limit:
                return await _call(channel, path, method, request)

        return list(await asyncio.gather(*map(one, requests)))


async def _call(channel: grpc.aio.Channel, path: str, method: MethodDescriptor, request: bytes) -> Answer:
    try:
        if method.client_streaming:
            stream: Any = channel.stream_stream(path)
            code = await _first_word(stream(_once(request), timeout=_DEADLINE_S))
            return Answer(method.name, request, code)
        if method.server_streaming:
            several: Any = channel.unary_stream(path)
            async for _ in several(request, timeout=_DEADLINE_S):
                pass
        else:
            single: Any = channel.unary_unary(path)
            await single(request, timeout=_DEADLINE_S)
    except grpc.aio.AioRpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        encoded = trailers.get("grpc-status-details-bin")
        details = status_pb2.Status.FromString(encoded) if isinstance(encoded, bytes) else None
        return Answer(method.name, request, error.code().name, error.details() or "", details)
    return Answer(method.name, request, "OK")


async def _first_word(call: grpc.aio.StreamStreamCall[bytes, bytes]) -> str:
    reading = asyncio.ensure_future(call.read())
    done, _ = await asyncio.wait({reading}, timeout=_QUIET_S)
    if not done:
        reading.cancel()
        call.cancel()
        return "QUIET"
    if reading.result() is grpc.aio.EOF:
        return (await call.code()).name
    call.cancel()
    return "OK"


async def _once(request: bytes) -> AsyncIterator[bytes]:
    yield request


def _unnamed(message: Message) -> Message:
    for field, value in message.ListFields():
        if field.name == "request_id":
            message.ClearField("request_id")
        elif field.message_type is not None and not field.is_repeated:
            _unnamed(value)
    return message


def _names_itself(kind: type[Message], request: bytes) -> bool:
    try:
        message = kind.FromString(request)
    except Exception:  # noqa: BLE001 - not a message: what it is for
        return False
    return _unnamed(kind.FromString(request)) != message
