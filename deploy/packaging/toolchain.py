"""Is everything here that compiling the kernels needs? If not, say which package brings it.

Run by `make` with the Python that is to own the environment, before anything is installed, and by the build
hook: so it needs nothing but the standard library.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not here, and the package that brings it on each system."""

    what: str
    debian: str
    fedora: str
    macos: str

    def __str__(self) -> str:
        """Several lines: what is missing, then the command for each system."""
        return (
            f"skewline: {self.what}\n"
            f"  Debian/Ubuntu:  {self.debian}\n"
            f"  Fedora/RHEL:    {self.fedora}\n"
            f"  macOS:          {self.macos}"
        )


def compiler() -> str | None:
    """Path of the C compiler: $CC, else the one Python was built with, else `cc`; None if there is none."""
    chosen = os.environ.get("CC")
    candidates = [chosen] if chosen else [sysconfig.get_config_var("CC") or "cc", "cc"]
    found = (shutil.which(shlex.split(candidate)[0]) for candidate in candidates)
    return next((path for path in found if path), None)


def missing(*, for_environment: bool = False) -> Iterator[Missing]:
    """What is not here of headers and compiler; with `for_environment` also what `python -m venv` needs."""
    if for_environment and not all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        yield Missing(
            f"Python's venv module is missing for {sys.executable}",
            "apt-get install python3-venv",
            "dnf install python3",
            "brew install python",
        )
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        yield Missing(
            f"Python's C headers (Python.h) are missing for {sys.executable}",
            "apt-get install python3-dev",
            "dnf install python3-devel",
            "brew install python",
        )
    if compiler() is None:
        asked = os.environ.get("CC")
        yield Missing(
            f"the C compiler CC={asked} was not found" if asked else "a C compiler is missing",
            "apt-get install gcc libc6-dev",
            "dnf install gcc",
            "xcode-select --install",
        )


def main() -> int:
    """Print what is missing to standard error; 1 if anything is, else 0."""
    lacking = [str(item) for item in missing(for_environment=True)]
    for item in lacking:
        print(item, file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
