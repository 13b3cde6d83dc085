"""Bars out of files: real ones of LEAN and the VIX, and made-up ones that are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.servers.marketdata.sources.bar_file import LeftOut, series_of
from skewline.servers.marketdata.sources.lean_bars import LeanBars
from skewline.servers.marketdata.sources.source import Selection, SourceError
from skewline.servers.marketdata.sources.tabular.bars import tabular_bars
from skewline.servers.marketdata.validation.bar_schema import check_series
from skewline.servers.runtime import new_york
from skewline.servers.runtime.corporate_actions import SPLIT, in_words
from skewline.servers.runtime.day_count import DAY_NS
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2

HEAD = "Date,Open,High,Low,Close,Volume"
GOOD = "2019-05-24,99.5,101,99,100,1200"


def loaded(
    place: Path, left_out: LeftOut, *, form: str = "csv", underlying: str = "XYZ", **chosen: object
) -> list[chain_pb2.BarSeries]:
    found = [
        series
        for rows in tabular_bars(form, place, underlying, Selection(**chosen), left_out)  # type: ignore[arg-type]
        for series in series_of(rows, DAY_NS, left_out)
    ]
    for series in found:
        validation = Validation()
        check_series(series, validation)
        validation.raise_if_any()
    return found


def test_the_vix_since_1990(market_data: Path) -> None:
    left_out = LeftOut()
    found = loaded(market_data / "vix" / "vix-daily.csv.gz", left_out, underlying="VIX")
    bars = [bar for series in found for bar in series.bars]
    assert [len(series.bars) for series in found[:-1]] == [5000] * (len(found) - 1)
    assert len(bars) > 9000
    # Of some days the index opened outside of the range that is said of them.
    assert left_out.counts == {"UNUSABLE_LOW": 27, "UNUSABLE_HIGH": 20}
    assert (bars[0].open, bars[0].close) == (17.24, 17.24)
    assert bars[0].start_ns == new_york.instant_ns(date(1990, 1, 2), new_york.OPEN.replace(hour=0, minute=0))
    assert {series.underlying for series in found} == {"VIX"}


def test_lean_daily_bars_are_raw_and_the_factor_file_tells_the_split(market_data: Path) -> None:
    chosen = Selection(("AAPL",), date(2014, 6, 2), date(2014, 6, 13))
    lean, left_out = LeanBars(market_data / "lean", chosen), LeftOut()
    [rows] = lean.rows("daily")
    [series] = series_of(rows, DAY_NS, left_out)
    closes = {new_york.date_of(bar.start_ns).isoformat(): bar.close for bar in series.bars}
    assert len(closes) == 10
    assert closes["2014-06-06"] == pytest.approx(645.57, abs=0.5)
    assert closes["2014-06-09"] == pytest.approx(93.7, abs=0.5)
    assert series.source == "lean:equity/usa/daily/aapl.zip"
    splits = [in_words(action) for action in lean.actions() if action.kind == SPLIT]
    assert "SPLIT 7:1 of AAPL on 2014-06-09" in splits


def test_lean_minutes_come_a_file_a_day(market_data: Path) -> None:
    lean = LeanBars(market_data / "lean", Selection(("AAPL",), date(2014, 6, 6), date(2014, 6, 6)))
    [rows] = lean.rows("minute")
    assert rows.start_ns.size > 390
    assert (np.diff(rows.start_ns) >= 60 * 10**9).all()
    assert rows.source == "lean:equity/usa/minute/aapl/20140606_trade.zip"
    with pytest.raises(SourceError, match="has no trades of the symbols and days asked for"):
        list(LeanBars(market_data / "lean", Selection(("NONE",))).rows("daily"))


def test_rows_that_are_no_bars_are_counted_with_the_place_of_the_first(tmp_path: Path) -> None:
    rows = (
        GOOD,
        "2019-05-28,99.5,98,99,100,1",  # high below open
        "2019-05-29,99.5,101,99,-100,1",
        "2019-05-30,99.5,101,99,n/a,1",
        "someday,99.5,101,99,100,1",
        "2019-05-31,99.5,101",
        GOOD,
    )
    (tmp_path / "bars.csv").write_text("\n".join((HEAD, *rows)))
    left_out = LeftOut()
    [series] = loaded(tmp_path, left_out)
    assert [bar.close for bar in series.bars] == [100.0]
    assert left_out.counts == {
        "UNUSABLE_HIGH": 1,
        "UNUSABLE_CLOSE": 2,
        "UNREADABLE_TIME": 1,
        "WRONG_FIELD_COUNT": 1,
        "REPEATED_START": 1,
    }
    assert left_out.first["UNUSABLE_HIGH"].endswith("bars.csv, line 3")
    assert left_out.first["WRONG_FIELD_COUNT"].endswith("bars.csv, line 7")
    assert left_out.first["REPEATED_START"].endswith("bars.csv, line 8")


def test_a_table_may_name_its_underlyings_and_be_parquet_with_a_map(tmp_path: Path) -> None:
    table = pa.table(
        {
            "wkn": ["ABC", "XYZ", "ABC"],
            "t": [1_558_670_400, 1_558_670_400, 1_558_756_800],
            "o": [1.0, 2.0, 3.0],
            "h": [1.0, 2.0, 3.0],
            "l": [1.0, 2.0, 3.0],
            "c": [1.0, 2.0, 3.0],
        }
    )
    pq.write_table(table, tmp_path / "any.parquet")
    (tmp_path / "columns.toml").write_text(
        '[columns]\nunderlying="wkn"\ntime="t"\nopen="o"\nhigh="h"\nlow="l"\nclose="c"\n[format]\ntime="s"'
    )
    found = loaded(tmp_path, LeftOut(), form="parquet", underlying="")
    assert [(s.underlying, [bar.close for bar in s.bars]) for s in found] == [
        ("ABC", [1.0, 3.0]),
        ("XYZ", [2.0]),
    ]
    assert found[0].bars[0].start_ns == 1_558_670_400_000_000_000
    only = loaded(tmp_path, LeftOut(), form="parquet", underlying="", symbols=("XYZ",))
    assert [s.underlying for s in only] == ["XYZ"]


@pytest.mark.parametrize(
    ("text", "underlying", "said"),
    [
        (f"{HEAD}\n{GOOD}", "", "no column is known to be underlying"),
        ("Date,Close\n2019-05-24,1", "XYZ", "no column is known to be open, high, low"),
        (f"{HEAD}\nnever,1,1,1,1,1", "XYZ", "line 2: no row has a time"),
        (HEAD, "XYZ", "line 2: no row follows the header"),
        ("", "XYZ", "line 1: is empty"),
    ],
)
def test_a_table_that_is_none_is_said(tmp_path: Path, text: str, underlying: str, said: str) -> None:
    (tmp_path / "bars.csv").write_text(text)
    with pytest.raises(SourceError) as fault:
        loaded(tmp_path, LeftOut(), underlying=underlying)
    assert said in str(fault.value)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789.,-eNa "), max_size=30), max_size=5))
def test_every_row_is_a_bar_or_counted(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("bars")
    (folder / "bars.csv").write_text("\n".join((HEAD, GOOD, *lines)))
    left_out = LeftOut()
    found = loaded(folder, left_out)
    told = sum(len(series.bars) for series in found) + left_out.counts.total()
    assert told == 1 + sum(bool(line) for line in lines)
