"""One trace from the quote to the fill, through five processes, the same wherever it is kept."""

from pathlib import Path

import pytest
from running_stack import FEW_DAYS, running_stack
from servers_under_test.otlp import Receiver
from waiting import until, until_so

from skewline.v1 import order_service_pb2

pytestmark = pytest.mark.timeout(120)

SERVICES = {"marketdata", "calibration", "signal", "risk", "order"}
SPANS = {
    "marketdata.snapshot",
    "calibration.chain",
    "signal.surface",
    "risk.check",
    "order.signal_set",
    "broker.submit",
}


async def test_a_fill_is_explained_by_one_trace_through_five_processes(
    market_data: Path, tmp_path: Path, otlp_receiver: tuple[Receiver, str]
) -> None:
    receiver, endpoint = otlp_receiver
    async with running_stack(tmp_path, [f"telemetry.otlp_endpoint={endpoint}"]) as stack:
        await stack.replayed(f"cboe:{market_data / 'spx-2019'}", **FEW_DAYS)
        fills = [fill async for fill in stack.client.order.list_fills()]
        assert fills
        fill = fills[0]
        spans: list[order_service_pb2.Span] = []

        async def complete() -> bool:
            spans[:] = (await stack.client.order.get_trace(fill_id=fill.fill_id)).spans
            return {span.service for span in spans} == SERVICES

        await until_so(complete)
        assert {span.trace_id for span in spans} == {fill.trace_id}
        assert {span.name for span in spans} >= SPANS
        assert len({span.process_id for span in spans}) == 5
        roots = [span for span in spans if not span.parent_span_id]
        assert [span.name for span in roots] == ["marketdata.snapshot"]
        by_id = {span.span_id: span for span in spans}
        assert all(span.parent_span_id in by_id for span in spans if span.parent_span_id)
        submitted = next(
            span
            for span in spans
            if span.name == "broker.submit" and fill.order_id in span.attributes.values()
        )
        path = [submitted.service]
        while submitted.parent_span_id:
            submitted = by_id[submitted.parent_span_id]
            path.append(submitted.service)
        assert list(dict.fromkeys(reversed(path))) == ["marketdata", "calibration", "signal", "order"]
        stored = {
            (span.service, span.name, span.trace_id, span.span_id, span.parent_span_id) for span in spans
        }
        await until(lambda: stored <= receiver.tree())
        same_trace = {span for span in receiver.tree() if span[2] == fill.trace_id}
        assert same_trace == stored
