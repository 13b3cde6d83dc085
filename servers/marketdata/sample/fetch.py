"""Fetches the sample once, and knows it again."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from skewline.servers.marketdata.sample.packages import CHAINS, HISTORY, Package, member_of
from skewline.servers.marketdata.sample.published import published_chains
from skewline.servers.marketdata.sources.parquet import rows_of
from skewline.servers.marketdata.sources.source import SourceError

_CHAINS_FILE: Final = "chains.parquet"
_HISTORY_FILE: Final = "history.parquet"
_PROVENANCE_FILE: Final = "provenance.json"
_DERIVED: Final = {
    _CHAINS_FILE: "prices: Black-76 at the published implied vols of bid and ask, to the cent, both sides of "
    "each strike; spot: nearest forward times its discount factor (VIX: unknown); strikes, forwards, "
    "discount factors and vols as published",
    _HISTORY_FILE: "daily closes of the S&P 500, as published",
}


def fetch_sample(directory: Path, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """Have chains.parquet, history.parquet and provenance.json in `directory`; returns it.

    The first call fetches two wheels with pip (network, some seconds) and checks their hashes; later calls
    check the hashes of what was written. Raises SourceError that says what to do.
    """
    if _is_whole(directory):
        progress(f"sample data: {directory}")
        return directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".fetching-") as scratch:
            _fetch(directory, Path(scratch), progress)
    except OSError as error:
        raise SourceError(f"{directory} cannot be written ({error}): name another folder") from error
    progress(f"sample data: written to {directory}")
    return directory


def _fetch(directory: Path, scratch: Path, progress: Callable[[str], None]) -> None:
    progress(f"sample data: fetching {CHAINS.name} {CHAINS.version}")
    chains = [rows_of(chain) for chain in published_chains(member_of(CHAINS, scratch))]
    progress(f"sample data: fetching {HISTORY.name} {HISTORY.version}")
    closes = pyarrow.csv.read_csv(io.BytesIO(gzip.decompress(member_of(HISTORY, scratch))))
    history = pa.table({"date": closes["Date"].cast(pa.date32()), "symbol": ["SPX"] * closes.num_rows})
    history = history.append_column("close", closes["SP500"].cast(pa.float64()))
    files = {}
    for name, package, table in (
        (_CHAINS_FILE, CHAINS, pa.concat_tables(chains)),
        (_HISTORY_FILE, HISTORY, history),
    ):
        origin = _origin(package, name)
        table = table.replace_schema_metadata({f"skewline.{key}": value for key, value in origin.items()})
        pq.write_table(table, scratch / name)
        files[name] = {**origin, "sha256": _sha256(scratch / name)}
    (scratch / _PROVENANCE_FILE).write_text(json.dumps(files, indent=2) + "\n")
    # What vouches for the others comes last.
    for name in (_CHAINS_FILE, _HISTORY_FILE, _PROVENANCE_FILE):
        os.replace(scratch / name, directory / name)  # noqa: PTH105


def _origin(package: Package, name: str) -> dict[str, str]:
    return {
        "package": package.name,
        "version": package.version,
        "wheel_sha256": package.sha256,
        "member": package.member,
        "derived": _DERIVED[name],
    }


def _is_whole(directory: Path) -> bool:
    try:
        files = json.loads((directory / _PROVENANCE_FILE).read_text())
        return all(
            files[name]["sha256"] == _sha256(directory / name)
            and files[name]["wheel_sha256"] == package.sha256
            for name, package in ((_CHAINS_FILE, CHAINS), (_HISTORY_FILE, HISTORY))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
