"""A real nats-server with JetStream for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from skewline.servers.runtime.nats_server import NatsServer


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A fresh server on a free port; `kill()` and `start()` crash it and bring it back."""
    with NatsServer(tmp_path / "nats") as server:
        yield server
