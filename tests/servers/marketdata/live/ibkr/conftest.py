"""A gateway with a market for each test, and the calendar loaded before, which takes seconds."""

from collections.abc import AsyncIterator

import pytest
from live_feeds import NOON_NS, ShiftedClock
from tws_gateway.market import Market, market

from skewline.servers.runtime import new_york


@pytest.fixture(scope="session", autouse=True)
def _calendar() -> None:
    new_york.load()


@pytest.fixture
async def tws() -> AsyncIterator[Market]:
    async with market() as tws:
        yield tws


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(NOON_NS)
