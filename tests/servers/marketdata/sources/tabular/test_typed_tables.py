"""Parquet tables of typed columns: times and days are what their types say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_samples import FRIDAY_NS

from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.servers.marketdata.sources.source import SourceError
from skewline.v1 import chain_pb2

SEEN = datetime(2019, 5, 24, 15, 0)  # noqa: DTZ001 - in New York, as the map says


def chains(folder: Path, **more: object) -> list[chain_pb2.OptionChain]:
    columns: dict[str, object] = {
        "timestamp": [SEEN, SEEN],
        "symbol": ["XYZ", "XYZ"],
        "underlying": ["XYZ", "XYZ"],
        "expiry": [date(2019, 6, 21), date(2019, 7, 19)],
        "strike": [95, 100],
        "right": ["C", "P"],
        "bid": [6.9, None],
        "ask": [7.1, 3.1],
    }
    pq.write_table(pa.table(columns | more), folder / "quotes.parquet")
    source = open_source(f"parquet:{folder}", SourceOptions(sample_folder=folder))
    return [source.load(ref) for ref in source.plan()]


@pytest.mark.parametrize(
    "expiry",
    [
        [date(2019, 6, 21), date(2019, 7, 19)],
        [datetime(2019, 6, 21), datetime(2019, 7, 19)],  # noqa: DTZ001 - as pandas has days
        ["2019-06-21", "20190719"],
    ],
)
def test_days_are_days_however_they_are_stored(tmp_path: Path, expiry: list[object]) -> None:
    [chain] = chains(tmp_path, expiry=expiry)
    assert chain.time_ns == FRIDAY_NS
    assert [each.expiry_date for each in chain.expiries] == ["2019-06-21", "2019-07-19"]
    assert list(chain.bid) == [6.9, 0.0]


def test_a_time_with_a_zone_is_that_instant(tmp_path: Path) -> None:
    [chain] = chains(tmp_path, timestamp=[datetime(2019, 5, 24, 19, 0, tzinfo=UTC)] * 2)
    assert chain.time_ns == FRIDAY_NS
    [chain] = chains(tmp_path, timestamp=[FRIDAY_NS] * 2)
    assert chain.time_ns == FRIDAY_NS


def test_rows_without_a_value_are_counted(tmp_path: Path) -> None:
    [chain] = chains(tmp_path, expiry=[date(2019, 6, 21), None])
    assert [(each.reason, each.count) for each in chain.rejected] == [("UNREADABLE_EXPIRY", 1)]


@pytest.mark.parametrize("column", ["timestamp", "strike", "bid"])
def test_columns_of_another_kind_are_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(SourceError, match=r"quotes\.parquet|cannot be read"):
        chains(tmp_path, **{column: [[1], [2]]})
