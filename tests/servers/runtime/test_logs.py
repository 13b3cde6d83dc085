"""Logs: what a record carries."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from skewline.servers.runtime.logs import configure_logging, logger
from skewline.servers.runtime.settings import load_settings
from skewline.servers.runtime.telemetry import Telemetry


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_records_are_json_with_service_and_the_current_trace(tmp_path: Path) -> None:
    stream = io.StringIO()
    settings = load_settings(None, [f"home={tmp_path}"], {})
    configure_logging("risk", settings, stream)
    telemetry = Telemetry.start("risk", settings)
    with telemetry.tracer.start_as_current_span("check") as span:
        logger("x").info("sized", contracts=3)
        logging.getLogger("library").warning("odd %s", "thing")
    logger("x").info("idle")
    telemetry.shutdown()
    sized, odd, idle = _lines(stream)
    assert (sized["event"], sized["contracts"], sized["service"]) == ("sized", 3, "risk")
    assert (odd["event"], odd["service"], odd["level"]) == ("odd thing", "risk", "warning")
    for line in (sized, odd):
        assert line["trace_id"] == f"{span.get_span_context().trace_id:032x}"
        assert line["span_id"] == f"{span.get_span_context().span_id:016x}"
    assert "trace_id" not in idle


def test_an_exception_is_one_line_with_its_traceback() -> None:
    stream = io.StringIO()
    configure_logging("risk", load_settings(None, [], {}), stream)
    try:
        raise ValueError("bad σ")
    except ValueError:
        logger("x").exception("failed", value=object)
    (line,) = _lines(stream)
    assert "ValueError: bad σ" in line["exception"]


def test_lower_levels_are_left_out() -> None:
    stream = io.StringIO()
    configure_logging("risk", load_settings(None, ["logging.level=warning"], {}), stream)
    logger("x").info("no")
    logger("x").error("yes")
    assert [line["event"] for line in _lines(stream)] == ["yes"]


def test_console_is_for_eyes() -> None:
    stream = io.StringIO()
    configure_logging("risk", load_settings(None, ["logging.format=console"], {}), stream)
    logger("x").info("sized", contracts=3)
    assert "sized" in stream.getvalue()
    assert "contracts=3" in stream.getvalue()
