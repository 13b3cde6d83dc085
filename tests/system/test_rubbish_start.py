"""A stack that cannot start says in one line which setting is wrong and what to do."""

import os
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

SKEWLINE = Path(sysconfig.get_path("scripts")) / "skewline"


def refused(home: Path, *arguments: str) -> str:
    """The one line with which `skewline up` ends."""
    environment = {"PATH": os.environ["PATH"], "SKEWLINE_HOME": str(home)}
    ended = subprocess.run(
        [SKEWLINE, "up", *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stdout + ended.stderr
    [line] = ended.stderr.splitlines()
    return line


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad toml [", "is not TOML"),
        ("[bus]\nurlx = 1\n", "bus.urlx"),
        ('[risk]\nsurface_wait_s = "soon"\n', "risk.surface_wait_s = 'soon'"),
        ("[network.ports]\nrisk = 99999\n", "network.ports.risk = '99999'"),
    ],
)
def test_wrong_file(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text(text)
    line = refused(tmp_path, "--config", str(config))
    assert said in line
    assert str(config) in line


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("bus.url=http://x", "bus.url = 'http://x'"),
        ("database.url=mysql://u:secret@x/db", "must be a URL that starts with postgresql+psycopg://"),
        ("database.url=postgresql+psycopg://u:secret@127.0.0.1:1/db", "PostgreSQL does not answer"),
        ("home=/proc/nowhere", "set home to a folder that can"),
    ],
)
def test_wrong_setting(tmp_path: Path, setting: str, said: str) -> None:
    line = refused(tmp_path, "--free-ports", "--set", setting)
    assert said in line
    assert "secret" not in line


def test_port_in_use(tmp_path: Path, taken_port: int) -> None:
    line = refused(tmp_path, "--set", f"network.ports.risk={taken_port}")
    assert "network.ports.risk" in line
    assert "in use" in line
