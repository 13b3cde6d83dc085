"""Chains in files: none is lost, none is there twice, and a replay gets what came."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain

from skewline.servers.marketdata.collecting.archive import ChainArchive
from skewline.servers.marketdata.collecting.quarantine import quarantine, quarantined
from skewline.servers.marketdata.sources.opening import SourceOptions, open_source
from skewline.v1 import chain_pb2


def minutes(count: int, underlying: str = "XYZ") -> list[chain_pb2.OptionChain]:
    return [
        small_chain(underlying=underlying, time_ns=FRIDAY_NS + at * MINUTE_NS, shift=at / 100)
        for at in range(count)
    ]


def replayed(folder: Path) -> list[chain_pb2.OptionChain]:
    source = open_source(f"parquet:{folder}", SourceOptions(sample_folder=folder))
    return [source.load(ref) for ref in source.plan()]


def test_chains_are_there_at_once_and_joined_by_day(tmp_path: Path) -> None:
    archive = ChainArchive(tmp_path / "new" / "folder")
    told = [*minutes(3), small_chain(time_ns=FRIDAY_NS + 4 * DAY_NS, shift=1.0)]
    for number, chain in enumerate(told, start=1):
        archive.add(chain)
        assert replayed(tmp_path / "new" / "folder") == told[:number]
    archive.join()
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == [
        "chains-XYZ-2019-05-24.parquet",
        "chains-XYZ-2019-05-28.parquet",
    ]
    assert replayed(tmp_path / "new" / "folder") == told


def test_parts_are_joined_when_there_are_many(tmp_path: Path) -> None:
    archive, told = ChainArchive(tmp_path), minutes(70)
    for chain in told:
        archive.add(chain)
    assert len(list(tmp_path.glob("*.part-*"))) == 70 - 2 * 32
    assert replayed(tmp_path) == told


def test_what_a_venue_says_of_its_expiries_comes_back(tmp_path: Path) -> None:
    [chain] = minutes(1)
    for expiry in chain.expiries:
        expiry.forward, expiry.discount, expiry.on_future = 101.25, 1.0, True
    chain.bid_size.extend([7.0] * len(chain.strike))
    chain.symbol.extend(f"own-{place}" for place in range(len(chain.strike)))
    archive = ChainArchive(tmp_path)
    archive.add(chain)
    archive.add(small_chain(time_ns=FRIDAY_NS + MINUTE_NS))
    archive.join()
    assert replayed(tmp_path) == [chain, small_chain(time_ns=FRIDAY_NS + MINUTE_NS)]


def test_a_crash_between_joining_and_removing_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, told = ChainArchive(tmp_path), minutes(3)
    for chain in told:
        archive.add(chain)
    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "unlink", _dies)
        with pytest.raises(KeyboardInterrupt):
            archive.join()
    # The day's file has all, and the parts are still there.
    archive = ChainArchive(tmp_path)
    archive.add(small_chain(time_ns=FRIDAY_NS + 9 * MINUTE_NS, shift=0.5))
    archive.join()
    assert [chain.time_ns for chain in replayed(tmp_path)] == [
        FRIDAY_NS + at * MINUTE_NS for at in (0, 1, 2, 9)
    ]


def test_a_crash_while_writing_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, told = ChainArchive(tmp_path), minutes(2)
    archive.add(told[0])
    with monkeypatch.context() as crashing:
        crashing.setattr(os, "fsync", _dies)
        with pytest.raises(KeyboardInterrupt):
            archive.add(told[1])
        with pytest.raises(KeyboardInterrupt):
            archive.join()
    (tmp_path / ".unfinished-chains-XYZ-2019-05-24.parquet").write_bytes(b"half")
    archive = ChainArchive(tmp_path)
    assert replayed(tmp_path) == told[:1]
    assert not list(tmp_path.glob(".unfinished*"))
    assert archive.newest() == told[:1]


def test_the_newest_of_each_underlying_are_found(tmp_path: Path) -> None:
    archive = ChainArchive(tmp_path)
    assert archive.newest() == []
    told = [*minutes(2), *minutes(3, "ABC-D")]
    for chain in told:
        archive.add(chain)
    assert sorted(archive.newest(), key=lambda chain: chain.underlying) == [told[4], told[1]]


def test_rejected_chains_come_back_whole_with_their_reason(tmp_path: Path) -> None:
    odd = small_chain()
    odd.bid.append(1.0)  # columns of two lengths
    summary = chain_pb2.ChainSummary(underlying="../XYZ", reason="SCHEMA", detail="bid is longer")
    file = quarantine(tmp_path, odd, summary)
    assert file.parent == tmp_path
    quarantine(tmp_path, small_chain(), summary)
    with file.open("ab") as cut_off:
        cut_off.write(b'{"reason": "SCH')
    assert quarantined(file) == [("SCHEMA", odd), ("SCHEMA", small_chain())]


def _dies(*_given: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_files_are_compressed_tables_that_anyone_can_read(tmp_path: Path) -> None:
    archive = ChainArchive(tmp_path)
    archive.add(minutes(1)[0])
    [part] = tmp_path.iterdir()
    assert pq.read_table(part, columns=["strike"]).num_rows == 12
