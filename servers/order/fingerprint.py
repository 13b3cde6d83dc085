"""What a command asks, as a digest: a request id stands for one command only."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

from skewline.v1 import order_service_pb2

Command: TypeAlias = (
    order_service_pb2.SubmitOrderRequest
    | order_service_pb2.CancelOrderRequest
    | order_service_pb2.ReplaceOrderRequest
)


def fingerprint(kind: str, request: Command) -> str:
    """The digest of a command of this kind (`submit`, `cancel`, `replace`)."""
    return f"{kind}:{hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()}"
