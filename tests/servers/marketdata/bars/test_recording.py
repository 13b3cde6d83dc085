"""Bars of live feeds: what can be a price is stored, and the rest is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bar_samples import bar, series
from chain_samples import FRIDAY_NS, MINUTE_NS
from market_service import settings_of

from skewline.servers.marketdata.bars.recording import BarRecorder
from skewline.servers.marketdata.service import MarketDataService
from skewline.servers.runtime.host import hosted
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.service import Runtime
from skewline.storage.marketdata import bars
from skewline.storage.marketdata.bars import BarQuery


@pytest.fixture
async def processor(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Processor]:
    kept: list[Processor] = []

    def build(runtime: Runtime) -> MarketDataService:
        kept.append(runtime.processor)
        return MarketDataService(runtime)

    async with hosted("marketdata", settings_of(tmp_path, nats_server.url), build):
        yield kept[0]


async def closes(processor: Processor) -> list[float]:
    found = await processor.read(lambda connection: bars.oldest(connection, BarQuery("XYZ", MINUTE_NS), 9))
    return [row.close for row in found]


async def test_one_bad_bar_costs_no_other(processor: Processor) -> None:
    told = series([bar(FRIDAY_NS + at * MINUTE_NS, 5.0 + at) for at in range(4)], interval_ns=MINUTE_NS)
    told.bars[1].high = 0.1
    told.bars[2].start_ns = told.bars[3].start_ns
    recorded = await BarRecorder(processor).take(told)
    assert recorded.stored == 2
    assert [fault.field for fault in recorded.faults] == ["bars[1].high"]
    assert await closes(processor) == [5.0, 8.0]


async def test_a_bar_that_goes_on_is_told_again(processor: Processor) -> None:
    for close in (5.0, 6.0):
        told = series([bar(FRIDAY_NS, close)], interval_ns=MINUTE_NS)
        assert (await BarRecorder(processor).take(told)).stored == 1
    assert await closes(processor) == [6.0]


async def test_a_series_of_nothing_known_stores_nothing(processor: Processor) -> None:
    recorded = await BarRecorder(processor).take(series([bar(FRIDAY_NS, 5.0)], interval_ns=7))
    assert recorded.stored == 0
    assert recorded.faults[0].field == "interval_ns"
