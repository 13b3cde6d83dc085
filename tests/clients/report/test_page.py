import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from run_records import run_record

from skewline.clients.demo.record import RunRecord
from skewline.clients.report.page import report_html, write_report
from skewline.v1 import market_data_service_pb2


class Loads(HTMLParser):
    """Collects what a document would load, its ids and its figures."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.ids: list[str] = []
        self.figures: list[str] = []
        self._in_figure = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "link", "img", "iframe", "source", "object"}:
            self.urls += [value for name in ("src", "href", "data") if (value := given.get(name))]
        if "id" in given:
            self.ids.append(given["id"] or "")
        self._in_figure = tag == "script" and given.get("type") == "application/json"

    def handle_data(self, data: str) -> None:
        if self._in_figure:
            self.figures.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_figure = False


def read(html: str) -> Loads:
    loads = Loads()
    loads.feed(html)
    return loads


@pytest.fixture(scope="module")
def html() -> str:
    return report_html(run_record())


def test_has_every_section(html: str) -> None:
    sections = {"figures", "surfaces", "signals", "orders", "pnl", "risk", "quality", "latency", "trace"}
    assert sections <= set(read(html).ids)
    assert len(read(html).figures) == 17


def test_loads_nothing_from_anywhere(html: str) -> None:
    assert read(html).urls == ["data:,"]
    own = html.replace(html[html.index("/**\n* plotly.js") :], "")
    assert not re.search(r"url\(|@import|https?://", own)


def test_is_small_enough_to_send(html: str) -> None:
    assert len(html.encode()) < 6_000_000


def test_texts_of_the_data_are_no_markup(html: str) -> None:
    assert "ask &lt;b&gt;below&lt;/b&gt; the fitted &amp; fair vol" in html
    assert "cboe:&lt;chains&gt;" in html
    assert "<chains>" not in html


def test_a_figure_cannot_end_its_script() -> None:
    record = run_record()
    record.trace[0].name = "</script><script>alert(1)</script>"
    found = read(report_html(record))
    assert len(found.figures) == 17
    assert all("<" not in figure for figure in found.figures)


def test_figures_are_json_without_nan(html: str) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for figure in read(html).figures:
        assert json.loads(figure, parse_constant=refuse)["data"]


def test_simulated_data_is_labelled(html: str) -> None:
    assert "were evolved from real quotes" in html
    assert html.count("SIMULATED") >= 6


def test_says_so_where_there_is_nothing() -> None:
    nothing = RunRecord(
        market_data_service_pb2.Replay(source="sample"), (), (), (), (), (), (), (), (), (), (), ()
    )
    html = report_html(nothing)
    assert "No surface was fitted." in html
    assert read(html).figures == []


def test_says_what_it_leaves_out() -> None:
    record = run_record()
    for surface in record.whole_surfaces:
        surface.slices.extend(list(surface.slices) * 4)
    html = report_html(replace(record, fills=record.fills * 50))
    assert "12 of 20 expiries shown" in html
    assert "Shown: the newest 60 of 100 fills." in html


def test_is_written_whole_to_a_new_folder(tmp_path: Path, html: str) -> None:
    path = write_report(run_record(), tmp_path / "run" / "report.html")
    assert path.read_text(encoding="utf-8") == html
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
