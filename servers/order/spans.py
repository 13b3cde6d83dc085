"""Stored spans as the contract's message."""

from __future__ import annotations

import json
from typing import Final

from skewline.servers.runtime.span_store import StoredSpan
from skewline.v1 import order_service_pb2

_STATUS: Final = {"unset": "", "ok": "OK", "error": "ERROR"}


def span_message(span: StoredSpan) -> order_service_pb2.Span:
    """`span` with its attributes as text."""
    status = _STATUS[span.status]
    problem = span.attributes.get("error.message", "")
    return order_service_pb2.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or "",
        name=span.name,
        service=span.service,
        process_id=span.pid,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        attributes={key: _text(value) for key, value in span.attributes.items()},
        status=f"{status}: {problem}" if problem and status == "ERROR" else status,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
