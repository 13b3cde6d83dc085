"""Numbers, times and names as people read them."""

from __future__ import annotations

import pytest

from skewline.clients.cli.process_age import age_text
from skewline.clients.cli.risk_tables import LIMIT_UNITS, limits_table
from skewline.clients.cli.smile import drawn
from skewline.clients.cli.span_tree import span_tree
from skewline.clients.cli.wording import money, number, percent, provenance, time_text, word
from skewline.v1 import common_pb2, order_pb2, order_service_pb2, risk_pb2, surface_pb2


@pytest.mark.parametrize(
    ("units", "nanos", "text"),
    [
        (0, 0, "0.00"),
        (1234567, 500_000_000, "1,234,567.50"),
        (0, -50_000_000, "-0.05"),
        (1, 1, "1.000000001"),
    ],
)
def test_money_has_all_its_digits(units: int, nanos: int, text: str) -> None:
    assert money(common_pb2.Decimal(units=units, nanos=nanos)) == text
    assert money(common_pb2.Decimal(units=units, nanos=nanos), "USD") == f"{text} USD"


def test_times_are_utc() -> None:
    assert time_text(1_556_221_500_000_000_000) == "2019-04-25 19:45:00 UTC"
    assert time_text(1_556_221_500_120_000_000) == "2019-04-25 19:45:00.12 UTC"
    assert time_text(0) == "–"


def test_what_is_no_number_is_a_dash() -> None:
    assert number(float("nan")) == percent(float("inf")) == "–"
    assert percent(0.1234) == "12.34 %"


def test_enum_values_are_words() -> None:
    assert word(order_pb2.OrderStatus, order_pb2.ORDER_STATUS_PARTIALLY_FILLED) == "partially filled"
    assert word(order_pb2.OrderStatus, 0) == "–"
    assert word(order_pb2.OrderStatus, 99) == "99"
    assert str(provenance(common_pb2.PROVENANCE_SIMULATED)) == "SIMULATED"


def test_every_limit_is_shown_with_its_unit() -> None:
    assert list(LIMIT_UNITS) == [field.name for field in risk_pb2.RiskLimits.DESCRIPTOR.fields]
    name, _, unit = limits_table(risk_pb2.RiskLimits()).columns
    assert dict(zip(name.cells, unit.cells, strict=True)) == LIMIT_UNITS


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (7.9, "7 s"), (302, "5 min 02 s"), (7500, "2 h 05 min")]
)
def test_ages(seconds: float | None, text: str) -> None:
    assert age_text(seconds) == text


def test_a_smile_without_quotes_or_width_is_still_drawn() -> None:
    assert "no fitted quotes" in drawn(surface_pb2.VolSlice())
    one = surface_pb2.VolSlice(strike=[100.0], bid_iv=[0.2], ask_iv=[0.2], record_iv=[0.2], forward=100.0)
    assert drawn(one).count("●") == 2


def test_spans_in_a_circle_are_all_shown() -> None:
    spans = [order_service_pb2.Span(span_id=a, parent_span_id=b, name=a) for a, b in ("ab", "ba")]
    assert len(span_tree(order_service_pb2.GetTraceResponse(spans=spans), False).children) == 1
