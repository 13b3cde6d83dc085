import math
import os
from pathlib import Path

import pytest

from skewline.cyext.cores import cpu_quota, most_threads, usable_cores


def groups(folder: Path, *lines: str) -> Path:
    file = folder / "cgroup"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def limit(group: Path, **files: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (group / name.replace("__", ".")).write_text(content + "\n")


def test_a_quota_of_version_2_counts_from_the_group_up_to_the_root(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    limit(mount / "a" / "b", cpu__max="max 100000")
    limit(mount / "a", cpu__max="150000 100000")
    assert cpu_quota(groups(tmp_path, "0::/a/b"), mount) == 1.5


def test_a_container_that_sees_its_own_group_as_the_root_finds_its_quota(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    limit(mount, cpu__max="50000 100000")
    assert cpu_quota(groups(tmp_path, "0::/docker/0123"), mount) == 0.5


def test_a_quota_of_version_1_is_that_of_the_cpu_controller(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    limit(mount / "cpu,cpuacct" / "box", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
    limit(mount / "memory" / "box", cpu__cfs_quota_us="1", cpu__cfs_period_us="100000")
    lines = ("4:memory:/box", "3:cpu,cpuacct:/box", "1:name=systemd:/")
    assert cpu_quota(groups(tmp_path, *lines), mount) == 3.0


@pytest.mark.parametrize("content", ["max 100000", "-1 100000", "rubbish", "", "5 0"])
def test_no_quota_is_no_limit(tmp_path: Path, content: str) -> None:
    limit(tmp_path / "mount", cpu__max=content)
    assert cpu_quota(groups(tmp_path, "0::/"), tmp_path / "mount") == math.inf


def test_a_system_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "none", tmp_path) == math.inf


def test_there_is_at_least_one_core_and_no_more_than_the_machine_has() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_the_environment_names_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKEWLINE_THREADS", "7")
    assert most_threads() == 7
    monkeypatch.setenv("SKEWLINE_THREADS", "")
    assert most_threads() == usable_cores()
