"""Each test of the clients runs with both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from either_client import IMPATIENT, Connect, Either

from skewline.clients import AsyncClient, Client, ClientOptions, Endpoints


@pytest.fixture(params=[AsyncClient, Client], ids=["async", "sync"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes a client for endpoints; closed at the end of the test."""
    made: list[Either] = []

    def client(endpoints: Endpoints, options: ClientOptions = IMPATIENT) -> Either:
        made.append(Either(request.param(endpoints, options)))
        return made[-1]

    yield client
    for either in made:
        await either.close()
