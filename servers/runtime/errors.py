"""Errors that a servicer raises, and the `google.rpc.Status` that a client gets for each."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from skewline.servers.runtime.logs import logger
from skewline.storage.errors import DatabaseUnreachableError

DOMAIN: Final = "skewline"
# Details travel in an HTTP/2 header, which clients cap at 8 KiB by default.
_MOST_VIOLATIONS: Final = 12
_LONGEST_TEXT: Final = 160
_LONGEST_MESSAGE: Final = 800


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that cannot be used: its dotted path, and what to send in its place."""

    field: str
    description: str


class ServiceError(Exception):
    """An error that the client can act on; subclasses say which."""

    code: ClassVar[grpc.StatusCode]

    def details(self) -> Iterable[Message]:
        """Messages of `google.rpc` that tell programs what `str(self)` tells people."""
        return ()


class InvalidArgument(ServiceError):
    """The request itself is wrong: INVALID_ARGUMENT with BadRequest."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, violations: Iterable[FieldViolation]) -> None:
        self.violations = tuple(violations)
        shown = [f"{v.field}: {v.description}" for v in self.violations[:3]]
        more = len(self.violations) - len(shown)
        super().__init__(
            _short("; ".join(shown), _LONGEST_MESSAGE - 20) + (f" (and {more} more)" if more > 0 else "")
        )

    def details(self) -> Iterable[Message]:
        """One BadRequest; past 12 fields the rest is left out to fit a header."""
        shown = self.violations[:_MOST_VIOLATIONS]
        # A single one may name a file by a long path: its fix comes last and must not be cut off.
        longest = max(_LONGEST_TEXT, _LONGEST_MESSAGE // max(len(shown), 1))
        yield error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=_short(violation.field), description=_short(violation.description, longest)
                )
                for violation in shown
            ]
        )


class Refused(ServiceError):
    """The request is well-formed but must not be done now: FAILED_PRECONDITION with ErrorInfo."""

    code = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self, reason: str, message: str, metadata: Mapping[str, str] | None = None) -> None:
        """`reason` is stable and upper-case, such as `KILL_SWITCH`."""
        self.reason = reason
        self.metadata = dict(metadata or {})
        super().__init__(message)

    def details(self) -> Iterable[Message]:
        """One ErrorInfo."""
        yield error_details_pb2.ErrorInfo(
            reason=self.reason, domain=DOMAIN, metadata={k: _short(v) for k, v in self.metadata.items()}
        )


class NotFound(ServiceError):
    """There is no such thing: NOT_FOUND with ResourceInfo."""

    code = grpc.StatusCode.NOT_FOUND

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"there is no {kind} {_short(name)!r}")

    def details(self) -> Iterable[Message]:
        """One ResourceInfo."""
        yield error_details_pb2.ResourceInfo(resource_type=self.kind, resource_name=_short(self.name))


class AlreadyExists(ServiceError):
    """There is one already, and it differs: ALREADY_EXISTS with ResourceInfo."""

    code = grpc.StatusCode.ALREADY_EXISTS

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"there is already a {kind} {_short(name)!r}, and it differs from this one")

    def details(self) -> Iterable[Message]:
        """One ResourceInfo."""
        yield error_details_pb2.ResourceInfo(resource_type=self.kind, resource_name=_short(self.name))


class Unavailable(ServiceError):
    """Try again later: UNAVAILABLE with RetryInfo."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, message: str, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)

    def details(self) -> Iterable[Message]:
        """One RetryInfo."""
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromTimedelta(self.retry_after)
        yield info


class ResourceExhausted(ServiceError):
    """A bound was reached: RESOURCE_EXHAUSTED with QuotaFailure."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, subject: str, description: str) -> None:
        self.subject, self.description = subject, description
        super().__init__(f"{subject}: {description}")

    def details(self) -> Iterable[Message]:
        """One QuotaFailure."""
        violation = error_details_pb2.QuotaFailure.Violation(
            subject=_short(self.subject), description=_short(self.description)
        )
        yield error_details_pb2.QuotaFailure(violations=[violation])


def status_of(error: Exception, rpc: str) -> status_pb2.Status:
    """The status for `error`.

    What is not a ServiceError is logged in full under an id, and the client gets that id only:
    what went wrong inside is not its business, and may hold secrets.
    """
    if isinstance(error, ServiceError):
        details = []
        for message in error.details():
            packed = any_pb2.Any()
            packed.Pack(message)
            details.append(packed)
        return status_pb2.Status(
            code=_number(error.code), message=_short(str(error), _LONGEST_MESSAGE), details=details
        )
    if isinstance(error, grpc.aio.AioRpcError) and error.code() == grpc.StatusCode.UNAVAILABLE:
        reason = "a service that this call needs is not reachable; try again"
        return status_of(Unavailable(reason, timedelta(seconds=1)), rpc)
    if isinstance(error, DatabaseUnreachableError):
        reason = "the service's database does not answer; try again"
        return status_of(Unavailable(reason, timedelta(seconds=1)), rpc)
    if isinstance(error, NotImplementedError):
        return status_pb2.Status(
            code=_number(grpc.StatusCode.UNIMPLEMENTED), message=f"{rpc} is not offered by this server"
        )
    error_id = uuid.uuid4().hex
    logger(__name__).error("rpc_failed", rpc=rpc, error_id=error_id, exc_info=error)
    return status_pb2.Status(
        code=_number(grpc.StatusCode.INTERNAL),
        message=f"internal error {error_id}; the service's log has more",
    )


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number


def _short(text: str, limit: int = _LONGEST_TEXT) -> str:
    """`text` in at most `limit` bytes of UTF-8, with an ellipsis where it was cut."""
    encoded = text.encode("utf-8", errors="replace")
    return text if len(encoded) <= limit else encoded[: limit - 3].decode("utf-8", errors="ignore") + "…"
