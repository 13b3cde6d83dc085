"""A real OTLP/gRPC receiver of traces: OpenTelemetry's own servicer, which keeps what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass
class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    """OpenTelemetry's own servicer, keeping what it is sent."""

    received: list[trace_pb2.ResourceSpans] = field(default_factory=list)

    def Export(self, request: Any, context: Any) -> Any:
        """Take a batch."""
        self.received.extend(request.resource_spans)
        return trace_service_pb2.ExportTraceServiceResponse()

    def tree(self) -> set[tuple[str, str, str, str, str]]:
        """(service, name, trace, span, parent) of each span received."""
        return {
            (service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
            for resource in self.received
            for service in [
                a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
            ]
            for scope in resource.scope_spans
            for span in scope.spans
        }


@pytest.fixture
def otlp_receiver() -> Iterator[tuple[Receiver, str]]:
    """The receiver, and the endpoint to export to."""
    servicer = Receiver()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"http://127.0.0.1:{port}"
    server.stop(0).wait()
