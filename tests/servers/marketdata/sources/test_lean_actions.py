"""Splits, dividends and symbol changes from LEAN's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from skewline.servers.marketdata.sources.lean_actions import factor_actions, map_actions
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.runtime.corporate_actions import in_words


def test_the_factor_file_of_apple_tells_its_splits_and_dividends(market_data: Path) -> None:
    file = market_data / "lean" / "equity" / "usa" / "factor_files" / "aapl.csv"
    told = [in_words(action) for action in factor_actions(file, "AAPL")]
    assert [words for words in told if words.startswith("SPLIT")] == [
        "SPLIT 2:1 of AAPL on 2000-06-21",
        "SPLIT 2:1 of AAPL on 2005-02-28",
        "SPLIT 7:1 of AAPL on 2014-06-09",
        "SPLIT 4:1 of AAPL on 2020-08-31",
    ]
    assert "CASH_DIVIDEND 3.29 USD of AAPL on 2014-05-08" in told
    assert "CASH_DIVIDEND 0.47 USD of AAPL on 2014-08-07" in told


def test_a_stock_dividend_is_no_ratio_of_small_numbers(market_data: Path) -> None:
    file = market_data / "lean" / "equity" / "usa" / "factor_files" / "goog.csv"
    (only,) = factor_actions(file, "GOOG")
    assert only.new_units / only.old_units == pytest.approx(1.0027, abs=1e-5)


def test_a_map_file_tells_symbol_changes(tmp_path: Path) -> None:
    file = tmp_path / "meta.csv"
    file.write_text("20120518,fb\n20220608,fb,Q\n20501231,meta,Q\n")
    assert [in_words(action) for action in map_actions(file)] == ["SYMBOL_CHANGE of FB to META on 2022-06-09"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "20140606,1,0.1,600\n20501231,x,1,0\n",
            "line 2: the price factor must be a number above zero, not 'x'",
        ),
        (
            "20140606,1,0,600\n20501231,1,1,0\n",
            "line 1: the split factor must be a number above zero, not '0'",
        ),
        ("20140606,1,0.1,nan\n", "line 1: the closing price must be a number"),
        ("06/06/2014,1,1,600\n", "line 1: '06/06/2014' is no date such as 20140606"),
        ("20140606,1\n", "line 1: has 2 fields of 4"),
        ("20140606,1,0.5,600\n20140605,1,1,0\n", "2014-06-05 does not come after 2014-06-06"),
    ],
)
def test_a_bad_factor_file_is_told_with_line_field_and_fix(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "aapl.csv"
    file.write_text(text)
    with pytest.raises(SourceError) as caught:
        factor_actions(file, "AAPL")
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "aapl.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="cannot be read"):
        factor_actions(file, "AAPL")
