"""How many threads the kernels may keep busy: the cores that this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def most_threads() -> int:
    """The environment variable SKEWLINE_THREADS, else the usable cores; ImportError where it is no number."""
    wanted = os.environ.get("SKEWLINE_THREADS", "")
    if not wanted:
        return usable_cores()
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= 1024):
        raise ImportError(f"SKEWLINE_THREADS={wanted!r} is no number of threads from 1 to 1024")
    return int(wanted)


def usable_cores() -> int:
    """The cores of the process's affinity mask, or the container's quota rounded up where that is less."""
    try:
        cores = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS has no affinity
        cores = os.cpu_count() or 1
    return math.ceil(min(cores, cpu_quota()))


def cpu_quota(groups: Path = _GROUPS, mount: Path = _MOUNT) -> float:
    """Cores' worth of time that this process's control groups (v1 or v2) allow; infinity if unlimited."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return math.inf
    quota = math.inf
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root = mount
        elif "cpu" in controllers.split(","):
            root = mount / controllers
        else:
            continue
        # A container often sees its own group as the root: every folder from there up that is seen counts.
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            quota = min(quota, _quota_of(folder))
            if folder == root:
                break
    return quota


def _quota_of(folder: Path) -> float:
    try:
        if (both := folder / "cpu.max").is_file():
            quota, period = both.read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else math.inf
    except (OSError, ValueError):  # no such file here, or "max"
        return math.inf
