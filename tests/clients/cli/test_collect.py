"""`skewline collect`: without a stack, into files, and out again at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cboe_files import delayed_file
from chain_samples import small_chain
from http_venue import HttpVenue, http_venue


@pytest.fixture
async def venue() -> AsyncIterator[HttpVenue]:
    async with http_venue() as venue:
        venue.files["XYZ.json"] = delayed_file(small_chain())
        yield venue


def options(venue: HttpVenue, folder: Path) -> tuple[str, ...]:
    url = f"marketdata.live.cboe.url={venue.url}"
    return ("--to", str(folder), "--set", url, "--set", "marketdata.stale_after_s=0")


async def test_once_ends_when_each_feed_has_brought_a_chain(
    run: Any, venue: HttpVenue, tmp_path: Path
) -> None:
    folder = tmp_path / "collected"
    outcome = await run("collect", "cboe:XYZ", *options(venue, folder), "--once", "--every", "15m")
    assert outcome.status == 0, outcome.err
    assert "XYZ  2019-05-24 19:00:00 UTC  12 quotes  -> chains-XYZ-2019-05-24.parquet" in outcome.out
    assert [file.name for file in folder.iterdir()] == ["chains-XYZ-2019-05-24.parquet"]
    again = await run("collect", "cboe:XYZ", *options(venue, folder), "--once", "--json")
    assert [line["summary"]["status"] for line in again.json if "summary" in line] == [
        "CHAIN_STATUS_REJECTED"
    ]


async def test_once_says_what_brought_nothing(run: Any, venue: HttpVenue, tmp_path: Path) -> None:
    outcome = await run(
        "collect", "cboe:XYZ,cboe:NONE", *options(venue, tmp_path / "to"), "--once", "--wait", "3"
    )
    assert outcome.status == 1
    assert "no chain came of cboe:NONE" in outcome.err
    assert "cboe:NONE  delayed  DOWN since" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere:SPX",), "FEEDS: 'nowhere:SPX' must be VENUE:SYMBOL"),
        (("cboe:SPX", "--every", "often"), "--every: must be from 1s to 24h"),
        (("cboe:SPX", "--every", "0m"), "--every: must be from 1s to 24h"),
        (("cboe:SPX", "--until", "tomorrow"), "--until: must be a time"),
        (("cboe:SPX", "--until", "2019-05-24T15:00"), "--until: 2019-05-24T15:00 is past"),
    ],
)
async def test_what_cannot_be_used_is_named_with_its_fix(
    run: Any, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    outcome = await run("collect", *arguments, "--to", str(tmp_path / "to"))
    assert outcome.status == 2
    assert says in outcome.err
    assert not (tmp_path / "to").exists()


async def test_a_folder_that_is_a_file_is_said(run: Any, venue: HttpVenue, tmp_path: Path) -> None:
    (tmp_path / "to").write_text("")
    outcome = await run("collect", "cboe:XYZ", *options(venue, tmp_path / "to"), "--once")
    assert outcome.status == 1
    assert "--to:" in outcome.err
