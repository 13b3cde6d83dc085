"""Traces: the local store, and the same spans at a real OTLP receiver."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from opentelemetry import trace
from servers_under_test.otlp import Receiver

from skewline.servers.runtime.settings import Settings, load_settings
from skewline.servers.runtime.span_store import SpanLink, StoredSpan, read_trace
from skewline.servers.runtime.telemetry import Telemetry, context_from, trace_id_of, traceparent


def _settings(home: Path, *overrides: str) -> Settings:
    return load_settings(None, [f"home={home}", *overrides], {})


def _pipeline(settings: Settings) -> str:
    """One trace through two services, the second with a link; its trace id."""
    market, risk = Telemetry.start("marketdata", settings), Telemetry.start("risk", settings)
    with market.tracer.start_as_current_span("snapshot", attributes={"underlying": "SPX"}) as root:
        with market.tracer.start_as_current_span("validate"):
            pass
        sent = traceparent()
    with risk.tracer.start_as_current_span("other", context_from(None)) as other:
        link = trace.Link(other.get_span_context())
    with risk.tracer.start_as_current_span("check", context_from(sent), links=[link]) as check:
        check.set_status(trace.StatusCode.ERROR)
    market.shutdown()
    risk.shutdown()
    return f"{root.get_span_context().trace_id:032x}"


def test_a_trace_is_read_back_over_all_services(tmp_path: Path) -> None:
    trace_id = _pipeline(_settings(tmp_path))
    root, validate, check = read_trace(tmp_path, trace_id.upper())
    assert [span.name for span in (root, validate, check)] == ["snapshot", "validate", "check"]
    assert (root.parent_id, validate.parent_id, check.parent_id) == (None, root.span_id, root.span_id)
    assert (root.service, check.service) == ("marketdata", "risk")
    assert root.attributes == {"underlying": "SPX"}
    assert (root.status, check.status) == ("unset", "error")
    assert root.start_ns <= validate.start_ns <= validate.end_ns <= root.end_ns
    (link,) = check.links
    assert isinstance(link, SpanLink)
    (other,) = read_trace(tmp_path, link.trace_id)
    assert (other.name, other.span_id) == ("other", link.span_id)


def test_an_otlp_receiver_gets_the_same_tree(tmp_path: Path, otlp_receiver: tuple[Receiver, str]) -> None:
    servicer, endpoint = otlp_receiver
    trace_id = _pipeline(_settings(tmp_path, f"telemetry.otlp_endpoint={endpoint}"))
    stored = {
        (span.service, span.name, span.trace_id, span.span_id, span.parent_id or "")
        for span in read_trace(tmp_path, trace_id)
    }
    assert len(stored) == 3
    assert {span for span in servicer.tree() if span[2] == trace_id} == stored


def test_a_dead_otlp_endpoint_costs_neither_local_spans_nor_a_long_stop(tmp_path: Path) -> None:
    started = time.monotonic()
    trace_id = _pipeline(_settings(tmp_path, "telemetry.otlp_endpoint=http://127.0.0.1:1"))
    assert time.monotonic() - started < 30
    assert len(read_trace(tmp_path, trace_id)) == 3


def test_spans_are_written_without_being_asked(tmp_path: Path) -> None:
    telemetry = Telemetry.start("order", _settings(tmp_path, "telemetry.span_delay_ms=10"))
    with telemetry.tracer.start_as_current_span("fill") as span:
        trace_id = f"{span.get_span_context().trace_id:032x}"
    deadline = time.monotonic() + 10
    while not read_trace(tmp_path, trace_id) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert [span.name for span in read_trace(tmp_path, trace_id)] == ["fill"]
    telemetry.shutdown()


def test_the_store_keeps_the_newest_spans_only(tmp_path: Path) -> None:
    telemetry = Telemetry.start("order", _settings(tmp_path, "telemetry.span_retention=3"))
    with telemetry.tracer.start_as_current_span("root") as root:
        for number in range(10):
            telemetry.tracer.start_span(f"child-{number}").end()
            telemetry.flush()
    telemetry.shutdown()
    kept = read_trace(tmp_path, f"{root.get_span_context().trace_id:032x}")
    assert {span.name for span in kept} == {"root", "child-8", "child-9"}


def test_many_spans_at_once_are_all_kept(tmp_path: Path) -> None:
    telemetry = Telemetry.start("order", _settings(tmp_path))
    with telemetry.tracer.start_as_current_span("root") as root:
        for number in range(5000):
            telemetry.tracer.start_span(f"child-{number}").end()
    telemetry.shutdown()
    assert len(read_trace(tmp_path, f"{root.get_span_context().trace_id:032x}")) == 5001


def test_a_store_that_breaks_loses_its_spans_and_nothing_else(tmp_path: Path) -> None:
    telemetry = Telemetry.start("order", _settings(tmp_path))
    with sqlite3.connect(tmp_path / "traces" / "order.sqlite") as store:
        store.execute("DROP TABLE spans")
    telemetry.tracer.start_span("lost").end()
    telemetry.flush()
    telemetry.shutdown()
    assert read_trace(tmp_path, "00" * 16) == []


def test_a_folder_without_traces_has_none(tmp_path: Path) -> None:
    nothing: list[StoredSpan] = []
    assert read_trace(tmp_path, "ab" * 16) == nothing


def test_traceparent_goes_round(tmp_path: Path) -> None:
    parent = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    assert traceparent(context_from(parent)) == parent
    assert trace_id_of(parent) == "ab" * 16


@pytest.mark.parametrize("rubbish", [None, "", "x", "00-zz-yy-01", "00-" + "0" * 32 + "-" + "cd" * 8 + "-01"])
def test_a_malformed_parent_is_no_parent(rubbish: str | None) -> None:
    assert traceparent(context_from(rubbish)) == ""
    assert trace_id_of(rubbish) == ""


def test_without_a_parent_a_trace_begins_even_inside_another(tmp_path: Path) -> None:
    telemetry = Telemetry.start("order", _settings(tmp_path))
    with telemetry.tracer.start_as_current_span("outer") as outer:
        inner = telemetry.tracer.start_span("inner", context_from(None))
        inner.end()
    telemetry.shutdown()
    assert inner.get_span_context().trace_id != outer.get_span_context().trace_id
