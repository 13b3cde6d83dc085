"""Brings everything generated up to date: the contract's stubs, the kernels, an editable install's layout.

`python deploy/packaging/build.py` (that is `make build`) and the wheel's build hook both end here.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contract_stubs import build_stubs
from dev_links import lay_links
from kernels import build_kernels


@dataclass(frozen=True, slots=True)
class Built:
    """The generated files that belong into a wheel of the running Python."""

    stubs: list[Path]
    kernels: list[Path]


def build_all(root: Path) -> Built:
    """Build in the source tree at `root`; what is unchanged since the last time is left alone."""
    with _alone(root):
        dev = lay_links(root)
        return Built(stubs=build_stubs(root), kernels=build_kernels(root, dev))


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two builds in one tree would tear each other's files: the second waits."""
    lock = root / "build" / "lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    build_all(Path(__file__).resolve().parents[2])
