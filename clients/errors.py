"""What goes wrong between a client and the services, in words and in fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_STATUS_DETAILS: Final = "grpc-status-details-bin"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_LONGEST: Final = 300
# grpc.aio puts this over the status with which a stream ended if a write was under way (grpc#36066).
_WRITE_FAILED: Final = "Internal error from Core"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that cannot be used, and what to send in its place."""

    field: str
    description: str


class SkewlineError(Exception):
    """A call that was not carried out; `str()` says which service, field and fix.

    `code` is gRPC's; `violations` name the fields of bad input; `reason` is the stable upper-case reason of a
    refusal (`KILL_SWITCH`) with its `metadata`; `retry_after` is when the service wants to be asked again.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        service: str = "",
        violations: Sequence[FieldViolation] = (),
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.service = service
        self.violations = tuple(violations)
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        super().__init__(self._text())

    def _text(self) -> str:
        text = "; ".join(f"{v.field}: {v.description}" for v in self.violations) or self.message
        if self.reason:
            text = f"{text} [{self.reason}]"
        return f"{self.service}: {text}" if self.service else text


class Unreachable(SkewlineError):
    """No service answers at the address: it is down, or the address is another's."""


class NoStack(Unreachable):
    """There is no running stack, or it has no address for a service."""

    def __init__(self, message: str) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, message)


class ClientClosed(SkewlineError):
    """The client was closed before or during the call."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, "the client is closed; make a new one")


def bad_input(field: str, description: str) -> SkewlineError:
    """The error for an argument that no service need be asked about."""
    violation = FieldViolation(field, description)
    return SkewlineError(grpc.StatusCode.INVALID_ARGUMENT, f"{field}: {description}", violations=[violation])


class Failure(Protocol):
    """What a failed call of `grpc` or `grpc.aio` can be asked."""

    def code(self) -> grpc.StatusCode:
        """Its status."""

    def details(self) -> str | None:
        """Its message."""

    def trailing_metadata(self) -> Any:
        """Keys and values that came with the status."""


def error_of(failure: Failure, service: str, address: str, timeout_s: float) -> SkewlineError:
    """The error for a failed call of `service` at `address`."""
    code, details = failure.code(), failure.details() or ""
    status = _status(failure)
    if status is not None:
        return _detailed(status, service)
    if code is grpc.StatusCode.INTERNAL and details == _WRITE_FAILED:
        code, details = grpc.StatusCode.UNAVAILABLE, "the stream broke"
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            why = "connection refused" if "Connection refused" in details else details[:_LONGEST]
            fix = "see `skewline status`; `skewline up` starts the stack"
            return Unreachable(code, f"does not answer at {address} ({why}); {fix}", service=service)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return Unreachable(code, f"did not answer within {timeout_s:g} s at {address}", service=service)
        case grpc.StatusCode.UNIMPLEMENTED:
            message = f"the server at {address} does not offer this call; check the address"
            return SkewlineError(code, message, service=service)
    return SkewlineError(code, details[:_LONGEST] or code.name, service=service)


def error_of_code(number: int, message: str, service: str) -> SkewlineError:
    """The error for a refusal that came as a message with a `google.rpc.Code`."""
    return SkewlineError(_CODES.get(number, grpc.StatusCode.UNKNOWN), message, service=service)


def _status(failure: Failure) -> status_pb2.Status | None:
    for key, value in failure.trailing_metadata() or ():
        if key == _STATUS_DETAILS:
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _detailed(status: status_pb2.Status, service: str) -> SkewlineError:
    bad, info, retry = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo(), None
    for detail in status.details:
        detail.Unpack(bad)
        detail.Unpack(info)
        wait = error_details_pb2.RetryInfo()
        if detail.Unpack(wait):
            retry = wait.retry_delay.ToTimedelta()
    return SkewlineError(
        _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
        status.message,
        service=service,
        violations=[FieldViolation(v.field, v.description) for v in bad.field_violations],
        reason=info.reason,
        metadata=info.metadata,
        retry_after=retry,
    )
