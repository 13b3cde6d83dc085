"""What somebody is told whose machine lacks a part."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(packaging: Path, prelude: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "\n".join(
        [
            f"import sys; sys.path.insert(0, {str(packaging)!r})",
            "import toolchain",
            prelude,
            "sys.exit(toolchain.main())",
        ]
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_said_where_all_is_here(packaging: Path) -> None:
    done = run(packaging, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("lack", "said", "debian"),
    [
        ("import sysconfig; sysconfig.get_path = lambda name: '/nowhere'", "Python.h", "python3-dev"),
        ("toolchain.compiler = lambda: None", "C compiler is missing", "gcc"),
        (
            "import importlib.util; importlib.util.find_spec = lambda name: None",
            "venv module is missing",
            "python3-venv",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_package_that_brings_it(
    packaging: Path, lack: str, said: str, debian: str
) -> None:
    done = run(packaging, lack)
    assert done.returncode == 1
    assert said in done.stderr
    assert f"apt-get install {debian}" in done.stderr
    assert "dnf install" in done.stderr
    assert "macOS" in done.stderr


def test_make_stops_before_it_makes_anything_when_the_compiler_is_not_there(
    repository: Path, tmp_path: Path
) -> None:
    done = make(repository, tmp_path, "demo", CC="no-such-compiler")
    assert done.returncode != 0
    assert "CC=no-such-compiler was not found" in done.stderr
    assert not (tmp_path / "venv" / "bin").exists()


def test_make_says_which_python_is_needed(repository: Path, tmp_path: Path) -> None:
    done = make(repository, tmp_path, "test", PYTHON="no-such-python")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed; no-such-python is not it" in done.stderr
    assert "apt-get install python3" in done.stderr


def make(repository: Path, tmp_path: Path, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            "make",
            target,
            f"VENV={tmp_path / 'venv'}",
            *(f"{name}={value}" for name, value in variables.items()),
        ],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
