"""Traces: a provider a service, spans to the local store and, where set, to an OTLP receiver."""

import os
import uuid
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from skewline.servers.runtime.settings import Settings
from skewline.servers.runtime.span_store import SpanStoreExporter

TRACEPARENT: Final = "traceparent"
_W3C: Final = TraceContextTextMapPropagator()
_QUEUE: Final = 65_536
_BATCH: Final = 512
_OTLP_TIMEOUT_S: Final = 5


class Telemetry:
    """The traces of one service.

    Its provider is its own, not OpenTelemetry's global one, so that five services can share a
    process and each span still names its service.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self.tracer: Final = provider.get_tracer("skewline")

    @classmethod
    def start(cls, service: str, settings: Settings) -> Self:
        """Open the local store of `service` and connect to the OTLP endpoint where one is set.

        An endpoint that does not answer is logged and loses its copy; it never holds up a service.
        """
        resource = Resource.create(
            {
                "service.name": service,
                "service.namespace": "skewline",
                "service.instance.id": str(uuid.uuid4()),
                "process.pid": os.getpid(),
            }
        )
        # Every trace is kept: `skewline trace` must be able to explain any fill.
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        options = settings.telemetry
        exporters: list[SpanExporter] = [
            SpanStoreExporter(settings.traces / f"{service}.sqlite", options.span_retention)
        ]
        if options.otlp_endpoint is not None:
            insecure = not options.otlp_endpoint.startswith("https://")
            exporters.append(
                OTLPSpanExporter(endpoint=options.otlp_endpoint, insecure=insecure, timeout=_OTLP_TIMEOUT_S)
            )
        for exporter in exporters:
            provider.add_span_processor(
                BatchSpanProcessor(
                    exporter,
                    max_queue_size=_QUEUE,
                    schedule_delay_millis=options.span_delay_ms,
                    max_export_batch_size=_BATCH,
                )
            )
        return cls(provider)

    def flush(self) -> None:
        """Write every span that has ended; blocks until done."""
        self._provider.force_flush()

    def shutdown(self) -> None:
        """Write every span that has ended and close the exporters; blocks, may be called again."""
        self._provider.shutdown()


def traceparent(context: Context | None = None) -> str:
    """W3C `traceparent` of the span in `context` (the current one by default); "" without a span."""
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def context_from(parent: str | None) -> Context:
    """The context whose current span is the remote `parent`; empty when that is absent or malformed."""
    if not parent:
        return Context()
    return _W3C.extract({TRACEPARENT: parent}, context=Context())


def trace_id_of(parent: str | None) -> str:
    """The trace id (32 hex digits) that a `traceparent` names; "" when it is absent or malformed."""
    span = trace.get_current_span(context_from(parent)).get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else ""
