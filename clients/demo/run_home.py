"""The folder of one run: fresh, so that it starts from nothing, and kept for looking at it again."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

_LATEST: Final = "latest"


def sample_folder(home: Path) -> Path:
    """Where the sample data of `home` is."""
    return home / "data" / "sample"


def new_run_home(home: Path, now: datetime | None = None) -> Path:
    """Make `<home>/demo/<UTC time>`, which shares the sample data of `home`, and point `latest` at it."""
    runs = home / "demo"
    runs.mkdir(parents=True, exist_ok=True)
    stamp = f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    run = _make_first_free(runs, stamp)
    own = sample_folder(run)
    own.parent.mkdir()
    own.symlink_to(sample_folder(home).absolute())
    link = runs / f".{_LATEST}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(run.name)
    link.replace(runs / _LATEST)
    return run


def _make_first_free(runs: Path, stamp: str) -> Path:
    for number in count(1):
        run = runs / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run
    raise AssertionError("count() ends never")
