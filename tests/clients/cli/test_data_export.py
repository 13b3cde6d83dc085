"""`skewline data export`: what a stack has stored, as files that can be replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recorded_stack import RecordedStack, chain

from skewline.servers.marketdata.sources.opening import SourceOptions, open_source


async def test_stored_chains_become_files_that_are_replayed(
    run: Any, stack: RecordedStack, tmp_path: Path
) -> None:
    out = tmp_path / "exported"
    outcome = await run("data", "export", "SPX", "--out", str(out), "--from", "2019-04-01")
    assert outcome.status == 0, outcome.err
    assert "chains-SPX-2019-04-25.parquet" in outcome.out
    source = open_source(f"parquet:{out}", SourceOptions(sample_folder=out))
    [ref] = source.plan()
    found, expected = source.load(ref), chain()
    assert (found.underlying, found.time_ns, found.source) == ("SPX", expected.time_ns, expected.source)
    assert sorted(found.bid) == sorted(expected.bid)
    told = (await run("data", "export", "SPX", "--out", str(out), "--json")).json[0]
    assert [each["chains"] for each in told["files"]] == [1]
    assert len(source.plan()) == 1, "what is there already is not there twice"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("NONE",), 1, "no chain of NONE is stored in that time"),
        (("SPX", "--from", "2030-01-01"), 1, "no chain of SPX is stored in that time"),
        (("SPX", "--from", "yesterday"), 2, "--from: must be a time"),
        (("SPX", "--to", "soon"), 2, "--to: must be a time"),
    ],
)
async def test_what_cannot_be_exported_is_said(
    run: Any, stack: RecordedStack, tmp_path: Path, arguments: tuple[str, ...], status: int, says: str
) -> None:
    outcome = await run("data", "export", *arguments, "--out", str(tmp_path / "out"))
    assert outcome.status == status
    assert says in outcome.err
    assert not (tmp_path / "out").exists()
