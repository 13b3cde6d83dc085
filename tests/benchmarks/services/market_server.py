"""The market data service as it is deployed: a process of its own beside a nats-server, and a database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import grpc.aio
from servers_under_test.postgres import PostgresServer, installation

from skewline.servers.runtime.supervisor import ServiceSpec, Supervisor

_MOST_BYTES = 64 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.max_send_message_length", _MOST_BYTES),
    # Subscribers must not share one connection: the one that reads nothing would hold up the others.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class MarketServer:
    """A service that runs."""

    address: str
    pid: int
    home: Path

    def channel(self) -> grpc.aio.Channel:
        """A connection of one's own."""
        return grpc.aio.insecure_channel(self.address, options=_OPTIONS)

    @property
    def resident_bytes(self) -> int:
        """Memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def market_server(
    database_url: str | None = None, environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[MarketServer]:
    """The service on free ports, with SQLite in its home unless a PostgreSQL URL is given.

    `environment` is added to this process's.
    """
    variables = {**os.environ, **environment}
    if database_url is not None:
        variables["SKEWLINE_DATABASE__URL"] = database_url
    with tempfile.TemporaryDirectory(prefix="skewline-bench-") as folder:
        specs = [ServiceSpec("marketdata")]
        async with Supervisor(Path(folder), specs, environment=variables) as supervisor:
            process = supervisor.state.processes["marketdata"]
            yield MarketServer(process.address, process.pid, Path(folder))


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL of our own, with the durability that it has by default."""
    server = PostgresServer(
        installation(), {"fsync": "on", "full_page_writes": "on", "shared_buffers": "128MB"}
    )
    server.start()
    try:
        yield server.url(server.new_database())
    finally:
        server.stop()
