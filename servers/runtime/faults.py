"""Whether trying again can help."""

from __future__ import annotations

from typing import Final

import grpc
import grpc.aio
from sqlalchemy.exc import DataError, IntegrityError

from skewline.servers.runtime.errors import AlreadyExists, InvalidArgument, NotFound

_LASTING: Final = (
    InvalidArgument,
    NotFound,
    AlreadyExists,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    DataError,
    IntegrityError,
)
_LASTING_CODES: Final = frozenset(
    (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS)
)


def is_lasting(error: Exception) -> bool:
    """Whether `error` is of the message or the code, so that the same message fails the same way again.

    Engines are deterministic: what one raises over a message it raises each time. What is away (a database,
    another service, the bus) comes back.
    """
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() in _LASTING_CODES
    return isinstance(error, _LASTING)
