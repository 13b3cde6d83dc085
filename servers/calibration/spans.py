"""The steps of a fit as spans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Tracer

from skewline.servers.calibration.steps import Note, Steps


def spans(tracer: Tracer) -> Steps:
    """Each step is a child of the span that is current when it begins; its figures are attributes."""

    @contextmanager
    def step(name: str) -> Iterator[Note]:
        with tracer.start_as_current_span(name) as span:
            yield lambda figure, value: span.set_attribute(f"skewline.{figure}", value)

    return step
