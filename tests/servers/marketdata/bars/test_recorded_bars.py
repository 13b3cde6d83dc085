"""Recorded bars over gRPC: stored, corrected, listed, and what volatilities are made of."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from bar_samples import FRIDAY_MIDNIGHT_NS, bar, series
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain
from market_service import market_data_service, settings_of
from splits import split

from skewline.servers.marketdata.realised import estimators
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import chain_pb2, common_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

HOUR_NS = 60 * MINUTE_NS
RECORDED, SNAPSHOTS = chain_pb2.BAR_ORIGIN_RECORDED, chain_pb2.BAR_ORIGIN_SNAPSHOTS


@pytest.fixture
async def stub(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[MarketDataServiceAsyncStub]:
    async with market_data_service(settings_of(tmp_path, nats_server.url)) as connected:
        yield connected


async def record(
    stub: MarketDataServiceAsyncStub, told: chain_pb2.BarSeries, request_id: str = "r"
) -> tuple[int, int, int]:
    answer = await stub.RecordBars(pb.RecordBarsRequest(request_id=request_id, series=told))
    assert answer.request_id == request_id
    return answer.added, answer.replaced, answer.unchanged


async def listed(
    stub: MarketDataServiceAsyncStub, interval_ns: int = DAY_NS, page_size: int = 0, **more: Any
) -> list[chain_pb2.Bar]:
    found: list[chain_pb2.Bar] = []
    request = pb.ListBarsRequest(underlying="XYZ", interval_ns=interval_ns, page_size=page_size, **more)
    while True:
        page = await stub.ListBars(request)
        assert not page_size or len(page.bars) <= page_size
        found += page.bars
        request.page_token = page.next_page_token
        if not request.page_token:
            return found


def prices(bar: chain_pb2.Bar) -> tuple[float, ...]:
    return bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume


async def publish(stub: MarketDataServiceAsyncStub, chain: chain_pb2.OptionChain) -> None:
    async def requests() -> AsyncIterator[pb.PublishChainsRequest]:
        yield pb.PublishChainsRequest(request_id="r", chain=chain)

    async for answer in stub.PublishChains(requests()):
        assert answer.summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED


def days(count: int, *, last: int = 0, closes: float = 100.0) -> list[chain_pb2.Bar]:
    first = last - count + 1
    return [
        bar(FRIDAY_MIDNIGHT_NS + day * DAY_NS, closes + day - first + 3 * math.sin(day))
        for day in range(first, last + 1)
    ]


async def test_recorded_bars_are_listed_as_they_were_told(stub: MarketDataServiceAsyncStub) -> None:
    told = series(days(5))
    assert await record(stub, told) == (5, 0, 0)
    for page_size in (0, 1, 2, 5):
        found = await listed(stub, page_size=page_size)
        assert [
            (each.start_ns, each.open, each.high, each.low, each.close, each.volume) for each in found
        ] == [(each.start_ns, each.open, each.high, each.low, each.close, each.volume) for each in told.bars]
    assert {(each.source, each.provenance, each.origin, each.parts, each.snapshots) for each in found} == {
        ("test:bars.csv", common_pb2.PROVENANCE_RECORDED, RECORDED, 1, 0)
    }
    third = told.bars[2].start_ns
    assert [each.start_ns for each in await listed(stub, from_ns=third, to_ns=third + 1)] == [third]


async def test_a_correction_replaces_and_a_repeated_request_changes_nothing(
    stub: MarketDataServiceAsyncStub,
) -> None:
    told = series(days(3))
    assert await record(stub, told) == (3, 0, 0)
    corrected = series([bar(told.bars[1].start_ns, 55.0)])
    assert await record(stub, corrected, "correction") == (0, 1, 0)
    assert await record(stub, told) == (0, 0, 3), "the same request, sent again"
    assert (await listed(stub))[1].close == 55.0
    assert await record(stub, corrected, "again") == (0, 0, 1)
    assert await record(stub, told, "anew") == (0, 1, 2)
    other = series([bar(FRIDAY_MIDNIGHT_NS + DAY_NS, 60.0)])
    assert await record(stub, other) == (1, 0, 0), "a request_id used twice must not lose the second"


async def test_longer_bars_are_put_together_of_shorter_ones(stub: MarketDataServiceAsyncStub) -> None:
    start = FRIDAY_NS - FRIDAY_NS % HOUR_NS
    minutes = [bar(start + at * MINUTE_NS, 100.0 + at % 7, at) for at in range(150)]
    await record(stub, series(minutes, interval_ns=MINUTE_NS))
    for page_size in (0, 1, 2):
        hours = await listed(stub, HOUR_NS, page_size)
        assert [(each.start_ns - start) // HOUR_NS for each in hours] == [0, 1, 2]
    assert [each.parts for each in hours] == [60, 60, 30]
    assert hours[1].open == minutes[60].open
    assert hours[1].close == minutes[119].close
    assert hours[1].high == 107.0
    assert hours[0].volume == sum(range(60))
    assert await listed(stub, 90 * 1_000_000_000) == [], "no minute makes up a minute and a half"


async def test_the_longest_that_fit_are_taken_and_snapshots_where_there_are_none(
    stub: MarketDataServiceAsyncStub,
) -> None:
    for at in range(3):
        await publish(stub, small_chain(time_ns=FRIDAY_NS + at * MINUTE_NS, shift=at / 100))
    assert [(each.origin, each.snapshots) for each in await listed(stub, MINUTE_NS)] == [(SNAPSHOTS, 1)] * 3
    await record(stub, series([bar(FRIDAY_NS, 50.0)], interval_ns=HOUR_NS))
    await record(stub, series([bar(FRIDAY_NS, 40.0)], interval_ns=2 * HOUR_NS), "two hours")
    assert [(each.origin, each.snapshots) for each in await listed(stub, MINUTE_NS)] == [(SNAPSHOTS, 1)] * 3
    assert [each.close for each in await listed(stub, HOUR_NS)] == [50.0]
    assert [each.close for each in await listed(stub, 4 * HOUR_NS)] == [40.0]
    assert [each.close for each in await listed(stub, 3 * HOUR_NS)] == [50.0]
    # Where they were not recorded, the snapshots still are.
    after = await listed(stub, HOUR_NS, from_ns=FRIDAY_NS + 1)
    assert [(each.origin, each.provenance) for each in after] == [(SNAPSHOTS, common_pb2.PROVENANCE_RECORDED)]


async def test_a_page_goes_on_as_it_began(stub: MarketDataServiceAsyncStub) -> None:
    for at in range(3):
        await publish(stub, small_chain(time_ns=FRIDAY_NS + at * MINUTE_NS, shift=at / 100))
    request = pb.ListBarsRequest(underlying="XYZ", interval_ns=MINUTE_NS, page_size=1)
    request.page_token = (await stub.ListBars(request)).next_page_token
    await record(stub, series([bar(FRIDAY_NS + 2 * MINUTE_NS, 50.0)], interval_ns=MINUTE_NS))
    assert [each.origin for each in (await stub.ListBars(request)).bars] == [SNAPSHOTS]


async def test_bars_before_a_split_are_in_the_units_after_it(stub: MarketDataServiceAsyncStub) -> None:
    told = split("XYZ", "2019-05-24", 2)
    told.ClearField("action_id")
    told.ClearField("effective_ns")
    await record(stub, series([bar(FRIDAY_MIDNIGHT_NS - DAY_NS, 100.0), bar(FRIDAY_MIDNIGHT_NS, 51.0)]))
    await stub.RecordCorporateActions(
        pb.RecordCorporateActionsRequest(request_id="s", corporate_actions=[told])
    )
    assert [(each.close, each.volume) for each in await listed(stub)] == [(50.0, 20.0), (51.0, 10.0)]
    before = await listed(stub, to_ns=FRIDAY_MIDNIGHT_NS)
    assert [each.close for each in before] == [100.0]


async def test_realised_volatility_comes_from_recorded_bars_with_their_ranges(
    stub: MarketDataServiceAsyncStub,
) -> None:
    await publish(stub, small_chain())
    told = days(30)
    await record(stub, series(told))
    request = pb.GetRealisedVolatilityRequest(underlying="XYZ", windows=[21])
    found = await stub.GetRealisedVolatility(request)
    assert (found.origin, found.bars) == (RECORDED, 30)
    assert (found.from_ns, found.to_ns) == (told[0].start_ns, told[-1].start_ns + DAY_NS)
    vols = {one.estimator: one.vol for one in found.vols}
    columns = {
        name: np.array([getattr(each, name) for each in told[-21:]])
        for name in ("open", "high", "low", "close")
    }
    expected = estimators.yang_zhang(columns["open"], columns["high"], columns["low"], columns["close"])
    assert vols[pb.VOLATILITY_ESTIMATOR_YANG_ZHANG] == pytest.approx(float(expected) * math.sqrt(252))
    parkinson = float(estimators.parkinson(columns["high"], columns["low"])) * math.sqrt(252)
    assert vols[pb.VOLATILITY_ESTIMATOR_PARKINSON] == pytest.approx(parkinson)
    # A bar is not known before it ended.
    request.as_of_ns = told[-1].start_ns + DAY_NS - 1
    assert (await stub.GetRealisedVolatility(request)).to_ns == told[-1].start_ns
    request.as_of_ns = told[0].start_ns
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.GetRealisedVolatility(request)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


_OF_A_BAR = {field.name for field in chain_pb2.Bar.DESCRIPTOR.fields} - {"source", "provenance"}


def rubbish(**change: object) -> chain_pb2.BarSeries:
    told = series(days(2))
    for field, value in change.items():
        setattr(
            told if field in ("underlying", "interval_ns", "source", "provenance") else told.bars[1],
            field,
            value,
        )
    return told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (rubbish(underlying=""), "series.underlying: is required"),
        (rubbish(underlying="A.B"), "series.underlying"),
        (rubbish(interval_ns=0), "series.interval_ns: must be from a second to 366 days"),
        (rubbish(interval_ns=-DAY_NS), "series.interval_ns"),
        (rubbish(source=""), "series.source: is required"),
        (rubbish(source="x" * 257), "series.source"),
        (rubbish(provenance=0), "series.provenance: must be one of"),
        (series([]), "series.bars: is required"),
        (series([bar(FRIDAY_NS + at * MINUTE_NS, 9.0) for at in range(5001)]), "has 5001 of at most 5000"),
        (rubbish(start_ns=1_558_724_400), "series.bars[1].start_ns: must be in nanoseconds"),
        (rubbish(start_ns=days(2)[0].start_ns), "series.bars[1].start_ns: is that of bars[0]"),
        (rubbish(open=0.0), "series.bars[1].open: must be a price above zero"),
        (rubbish(close=math.nan), "series.bars[1].close"),
        (rubbish(high=math.inf), "series.bars[1].high"),
        (rubbish(low=-1.0), "series.bars[1].low"),
        (rubbish(high=50.0), "series.bars[1].high: must be the highest of open"),
        (rubbish(low=500.0), "series.bars[1].low: must be the lowest of open"),
        (rubbish(volume=-1.0), "series.bars[1].volume"),
        (rubbish(volume=math.nan), "series.bars[1].volume"),
        (rubbish(origin=RECORDED), "series.bars[1].origin: is for answers"),
        (rubbish(snapshots=3), "series.bars[1].snapshots: is for answers"),
    ],
)
async def test_rubbish_is_refused_with_field_and_fix_and_nothing_of_it_is_kept(
    stub: MarketDataServiceAsyncStub, told: chain_pb2.BarSeries, said: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await record(stub, told)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert said in (error.value.details() or "")
    assert await listed(stub) == []


async def test_a_request_without_id_or_series_is_refused(stub: MarketDataServiceAsyncStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.RecordBars(pb.RecordBarsRequest())
    for field in ("request_id", "series"):
        assert f"{field}: is required" in (error.value.details() or "")
