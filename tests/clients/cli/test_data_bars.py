"""`skewline data bars`: what goes to the stack, what is shown, and what is refused before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorded_stack import RecordedStack

BARS = """Date,Open,High,Low,Close
2019-05-23,99,100,98,99
2019-05-24,99.5,101,99,100
2019-05-28,99.5,98,99,100
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "xyz.csv").write_text(BARS)
    return tmp_path / "bars"


async def test_bars_go_to_the_stack_and_what_is_left_out_is_said(
    run: Any, stack: RecordedStack, table: Path
) -> None:
    outcome = await run("data", "bars", "--source", f"csv:{table}", "--underlying", "XYZ")
    assert outcome.status == 0, outcome.err
    [series] = stack.market_data.bars
    assert (series.underlying, series.interval_ns, series.source) == ("XYZ", 86_400 * 10**9, "csv:xyz.csv")
    assert [bar.close for bar in series.bars] == [99.0, 100.0]
    for word in ("XYZ", "2 bars", "UNUSABLE_HIGH", "xyz.csv, line 4"):
        assert word in outcome.out
    told = (await run("data", "bars", "--source", f"csv:{table}", "--underlying", "XYZ", "--json")).json[0]
    assert (told["added"], told["left_out"][0]["count"]) == (2, 1)


async def test_lean_brings_its_corporate_actions(run: Any, stack: RecordedStack, market_data: Path) -> None:
    outcome = await run(
        *("data", "bars", "--source", f"lean:{market_data / 'lean'}", "--symbol", "AAPL"),
        *("--from", "2014-06-02", "--to", "2014-06-13"),
    )
    assert outcome.status == 0, outcome.err
    assert sum(len(series.bars) for series in stack.market_data.bars) == 10
    assert {action.underlying for action in stack.market_data.recorded_actions} == {"AAPL"}
    assert not any(action.action_id for action in stack.market_data.recorded_actions)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--source", "yahoo"), "--source: 'yahoo' names no source of bars"),
        (("--source", "csv:"), "--source: 'csv:' names no source of bars"),
        (("--source", "csv:/no/such"), "--source: /no/such does not exist"),
        (("--source", "lean:/no/such"), "--source: /no/such/equity/usa/daily does not exist"),
        (("--source", "lean:/tmp", "--interval", "5m"), "--interval: LEAN has bars of 1m, 1h and 1d"),
        (("--source", "csv:/tmp", "--interval", "1y"), "--interval: must be from 1s to 366d"),
        (("--source", "csv:/tmp", "--interval", "0s"), "--interval: must be from 1s to 366d"),
        (("--source", "csv:/tmp", "--from", "24.5.2019"), "--from: must be a day"),
    ],
)
async def test_what_cannot_be_used_is_named_with_its_fix(
    run: Any, stack: RecordedStack, arguments: tuple[str, ...], says: str
) -> None:
    outcome = await run("data", "bars", *arguments)
    assert outcome.status == 2
    assert says in outcome.err
    assert not stack.market_data.bars
