from datetime import UTC, datetime
from pathlib import Path

from skewline.clients.demo.run_home import new_run_home, sample_folder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_each_run_has_a_folder_of_its_own_and_latest_is_the_last(tmp_path: Path) -> None:
    first, second = new_run_home(tmp_path, NOW), new_run_home(tmp_path, NOW)
    assert (first.name, second.name) == ("20260102T030405Z", "20260102T030405Z-2")
    assert (tmp_path / "demo" / "latest").resolve() == second.resolve()
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == [first.name, second.name, "latest"]


def test_runs_share_the_sample_data(tmp_path: Path) -> None:
    run = new_run_home(tmp_path, NOW)
    sample_folder(tmp_path).mkdir(parents=True)
    (sample_folder(tmp_path) / "chains.parquet").write_bytes(b"chains")
    assert (sample_folder(run) / "chains.parquet").read_bytes() == b"chains"
