"""The sample: out of published packages, checked, never imported."""

import io
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.sample import packages
from skewline.servers.marketdata.sample.fetch import fetch_sample
from skewline.servers.marketdata.sample.literals import assigned_in
from skewline.servers.marketdata.sources.parquet import ParquetSource
from skewline.servers.marketdata.sources.simulated import SimulatedSource
from skewline.servers.marketdata.sources.source import SnapshotRef, SourceError
from skewline.v1 import chain_pb2, common_pb2


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return fetch_sample(tmp_path_factory.mktemp("sample"))
    except SourceError as error:
        if "could not be fetched" in str(error):
            pytest.skip(f"no package index: {error}")
        raise


def loaded(source: ParquetSource | SimulatedSource) -> list[tuple[SnapshotRef, chain_pb2.OptionChain]]:
    return [(ref, source.load(ref)) for ref in source.plan()]


def test_five_real_chains_are_accepted(sample: Path) -> None:
    engine = MarketDataEngine()
    chains = [chain for _, chain in loaded(ParquetSource(sample))]
    assert {chain.underlying: len(chain.strike) for chain in chains} == {
        "BTC": 98,
        "VIX": 184,
        "SPY": 854,
        "SQQQ": 464,
        "GLD": 304,
    }
    for chain in chains:
        assert chain.provenance == common_pb2.PROVENANCE_RECORDED
        summary = engine.on_chain(chain).summary
        assert (summary.status, summary.rejected[:]) == (chain_pb2.CHAIN_STATUS_ACCEPTED, [])
    btc = chains[0]
    assert btc.symbol[0] == "BTC-5NOV21-52000-C"
    assert "stochvolmodels" not in sys.modules


def test_provenance_travels_with_the_files(sample: Path) -> None:
    for name, package in (("chains.parquet", packages.CHAINS), ("history.parquet", packages.HISTORY)):
        metadata = pq.read_schema(sample / name).metadata
        assert metadata[b"skewline.package"].decode() == package.name
        assert metadata[b"skewline.wheel_sha256"].decode() == package.sha256
    closes = pq.read_table(sample / "history.parquet")
    assert closes.num_rows > 8000


def test_a_second_call_needs_no_network(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert fetch_sample(sample) == sample


def test_offline_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(SourceError, match="needs the package index once"):
        fetch_sample(tmp_path / "sample")
    assert list((tmp_path / "sample").iterdir()) == []


def test_another_wheel_of_the_same_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        stem = f"{packages.CHAINS.name}-{packages.CHAINS.version}.dist-info"
        wheel.writestr(f"{stem}/METADATA", "Metadata-Version: 2.1\nName: stochvolmodels\nVersion: 2.6.0\n")
        wheel.writestr(f"{stem}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    name = f"{packages.CHAINS.name}-{packages.CHAINS.version}-py3-none-any.whl"
    (shelf / name).write_bytes(content.getvalue())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    with pytest.raises(SourceError, match="is not the published file"):
        fetch_sample(tmp_path / "sample")


def test_source_is_read_and_not_run() -> None:
    module = b"def f():\n    a = array([1, -2.5])\n    b = (array(['P']), 'x')\n    c = open('/etc/passwd')\n"
    assert assigned_in(module, "f", "here") == {"a": [1.0, -2.5], "b": [["P"], "x"]}
    with pytest.raises(SourceError, match="no function g"):
        assigned_in(module, "g", "here")


def test_what_is_evolved_is_labelled_and_follows_from_the_seed(sample: Path) -> None:
    def evolved(seed: int) -> SimulatedSource:
        return SimulatedSource(ParquetSource(sample), steps=5, seed=seed)

    chains = loaded(evolved(7))
    assert len(chains) == 30
    engine = MarketDataEngine()
    for ref, chain in chains:
        recorded = ref.key.startswith("0|")
        expected = common_pb2.PROVENANCE_RECORDED if recorded else common_pb2.PROVENANCE_SIMULATED
        assert chain.provenance == expected
        assert engine.on_chain(chain).summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED
        assert all(bid < ask for bid, ask in zip(chain.bid, chain.ask, strict=True))
    last = chains[-1]
    assert evolved(7).load(last[0]) == last[1]
    assert evolved(8).load(last[0]) != last[1]
