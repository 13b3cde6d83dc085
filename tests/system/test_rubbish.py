"""Rubbish at each boundary of a running stack is refused with field and fix, and changes nothing."""

import asyncio
import gzip
import json
import math
import random
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from chain_samples import FRIDAY_NS, small_chain
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.aio.client import Client
from rubbish_calls import FULL_NAMES, call_all, methods_of, rubbish_for
from running_stack import RunningStack, running_stack
from waiting import until_so

from skewline.clients.errors import SkewlineError
from skewline.servers.backtest.pipeline import Pipeline
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.servers.runtime.settings import SERVICES, Settings
from skewline.v1 import (
    calibration_service_pb2,
    chain_pb2,
    common_pb2,
    event_pb2,
    market_data_service_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    risk_service_pb2,
    signal_pb2,
    surface_pb2,
)

pytestmark = [pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

PROPER = {"OK", "QUIET", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
COMPLETED = market_data_service_pb2.REPLAY_STATUS_COMPLETED
FAILED = market_data_service_pb2.REPLAY_STATUS_FAILED
BEFORE = {"from_date": "2019-05-20", "to_date": "2019-05-22"}
AFTER = {"from_date": "2019-05-23", "to_date": "2019-05-24"}
NAN = math.nan


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(market_data: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """A stack that has traded for three days."""
    async with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        last = await stack.replayed(f"cboe:{market_data / 'spx-2019'}", **BEFORE)
        assert last.status == COMPLETED, last.error
        yield stack


def sound_requests() -> dict[str, list[Message]]:
    leg = order_pb2.OrderLeg(instrument_id="SPXW  190524C02850000", side=common_pb2.SIDE_BUY, ratio=1)
    one = common_pb2.Decimal(units=1)
    submit = order_service_pb2.SubmitOrderRequest(
        underlying="SPX",
        legs=[leg],
        type=order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=one,
        limit_price=one,
    )
    intent = risk_pb2.OrderIntent(
        intent_id="i", underlying="SPX", time_ns=FRIDAY_NS, legs=[leg], limit_price=one, quantity=one
    )
    ids = ["SPXW  190524C02850000", "SPX   190621P02800000"]
    return {
        "PublishChains": [market_data_service_pb2.PublishChainsRequest(chain=small_chain())],
        "StreamCalibrations": [calibration_service_pb2.StreamCalibrationsRequest(chain=small_chain())],
        "PriceOptions": [calibration_service_pb2.PriceOptionsRequest(underlying="SPX", instrument_ids=ids)],
        "ImplyVolatilities": [
            calibration_service_pb2.ImplyVolatilitiesRequest(
                underlying="SPX", instrument_ids=ids, price=[10.0, 20.0]
            )
        ],
        "CheckIntents": [risk_service_pb2.CheckIntentsRequest(time_ns=FRIDAY_NS, intents=[intent])],
        "SubmitOrder": [submit],
        "StreamOrders": [order_service_pb2.StreamOrdersRequest(submit=submit)],
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_each_call_answers_rubbish_with_field_and_fix(stack: RunningStack, service: str) -> None:
    sound = sound_requests()
    for method in methods_of(service):
        requests = rubbish_for(method, seed=8, rounds=25, sound=sound.get(method.name, ()))
        answers = await call_all(stack.supervisor.address(service), method, requests)
        for answer in answers:
            shown = f"{answer.method} {answer.request[:300]!r}: {answer.code} {answer.message}"
            assert answer.code in PROPER, shown
            if answer.message:
                assert answer.details is not None, shown
                assert answer.details.details, shown
            if answer.code == "INVALID_ARGUMENT" and answer.message:
                assert answer.violations, shown
                assert all(each.field and each.description for each in answer.violations), shown
    await assert_unharmed(stack)


def with_column(name: str, place: int, value: float) -> Callable[[chain_pb2.OptionChain], None]:
    def change(chain: chain_pb2.OptionChain) -> None:
        getattr(chain, name)[place] = value

    return change


def with_sizes(chain: chain_pb2.OptionChain) -> None:
    chain.bid_size.extend([-5.0] + [5.0] * 11)
    chain.ask_size.extend([5.0] * 12)


QUARANTINED = {
    "NON_FINITE": with_column("bid", 0, NAN),
    "NEGATIVE_PRICE": with_column("bid", 1, -1.0),
    "NEGATIVE_SIZE": with_sizes,
    "TOO_LARGE": with_column("ask", 2, 1e300),
    "BAD_STRIKE": with_column("strike", 3, -100.0),
}


async def test_a_published_chain_leaves_its_bad_rows_behind_with_a_reason(stack: RunningStack) -> None:
    for day, (reason, spoil) in enumerate(QUARANTINED.items()):
        chain = small_chain(underlying="RUB", time_ns=FRIDAY_NS + day, shift=day / 10)
        spoil(chain)
        [summary] = [summary async for _, summary in published(stack, [(f"{reason}", chain)])]
        assert summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED, summary.detail
        assert [(each.reason, each.count) for each in summary.rejected] == [(reason, 1)]
    await assert_unharmed(stack)


async def published(
    stack: RunningStack, chains: list[tuple[str, chain_pb2.OptionChain]]
) -> AsyncIterator[tuple[str, chain_pb2.ChainSummary]]:
    async def requests() -> AsyncIterator[bytes]:
        for name, chain in chains:
            request = market_data_service_pb2.PublishChainsRequest(request_id=name, chain=chain)
            yield request.SerializeToString()

    path = f"/{FULL_NAMES['marketdata']}/PublishChains"
    async with grpc.aio.insecure_channel(stack.supervisor.address("marketdata")) as channel:
        call: Any = channel.stream_stream(path)
        async for encoded in call(requests(), timeout=30):
            response = market_data_service_pb2.PublishChainsResponse.FromString(encoded)
            yield response.request_id, response.summary


UNSOUND_INTENTS: dict[str, dict[str, Any]] = {
    "limit_price": {"limit_price": common_pb2.Decimal(units=1, nanos=-1)},
    "quantity": {"quantity": common_pb2.Decimal(units=-5)},
    "quantity.nanos": {"quantity": common_pb2.Decimal(units=1, nanos=2_000_000_000)},
    "edge": {"edge": NAN},
    "confidence": {"confidence": math.inf},
    "legs[0].side": {"legs": [order_pb2.OrderLeg(instrument_id="x", ratio=1)]},
    "legs": {
        "legs": [
            order_pb2.OrderLeg(instrument_id=f"x{n}", side=common_pb2.SIDE_BUY, ratio=1) for n in range(5000)
        ]
    },
    "underlying": {"underlying": ""},
    "multiplier": {"multiplier": common_pb2.Decimal(units=-100)},
}


async def test_an_unsound_intent_is_refused_by_its_field(stack: RunningStack) -> None:
    one = common_pb2.Decimal(units=1)
    request = risk_service_pb2.CheckIntentsRequest(request_id="unsound", time_ns=FRIDAY_NS)
    for name, wrong in UNSOUND_INTENTS.items():
        leg = order_pb2.OrderLeg(instrument_id="SPXW  190524C02850000", side=common_pb2.SIDE_BUY, ratio=1)
        sound: dict[str, Any] = {
            "underlying": "SPX",
            "legs": [leg],
            "limit_price": one,
            "quantity": one,
            "multiplier": one,
        }
        request.intents.append(risk_pb2.OrderIntent(intent_id=name, **(sound | wrong)))
    path = f"/{FULL_NAMES['risk']}/CheckIntents"

    async def requests() -> AsyncIterator[bytes]:
        yield request.SerializeToString()

    async with grpc.aio.insecure_channel(stack.supervisor.address("risk")) as channel:
        call: Any = channel.stream_stream(path)
        [encoded] = [encoded async for encoded in call(requests(), timeout=30)]
    response = risk_service_pb2.CheckIntentsResponse.FromString(encoded)
    for decision in response.decisions:
        assert not decision.approved
        [check] = decision.checks
        assert f"{decision.intent_id}" in check.message
    assert len(response.decisions) == len(UNSOUND_INTENTS)


def rubbish_events(good: surface_pb2.VolSurface) -> list[tuple[str, bytes, str]]:
    """Subject, message, and what the reason must say, of what nothing on the bus can be made of."""
    chance = random.Random(8)
    events: list[tuple[str, bytes, str]] = []

    def add(subject: str, reason: str, **payload: Any) -> None:
        event = event_pb2.Event(
            event_id=f"rubbish-{len(events)}",
            time_ns=FRIDAY_NS,
            snapshot_id="nope",
            underlying="SPX",
            **payload,
        )
        events.append((subject, event.SerializeToString(), reason))

    for subject in (
        "market.chain.SPX",
        "surface.SPX",
        "signal.SPX",
        "order.SPX",
        "risk.portfolio.SPX",
        "risk.state",
    ):
        events.append((subject, chance.randbytes(50), "not a skewline.v1.Event"))
        add(subject, "carries", alert=event_pb2.Alert(service="x"))
    short = small_chain(underlying="SPX")
    short.snapshot_id = "nope"
    del short.bid[5:]
    add("market.chain.SPX", "chain.bid: has 5 values", chain=short)
    unknown = small_chain(underlying="SPX")
    add("market.chain.SPX", "chain.snapshot_id: is required", chain=unknown)
    uneven = surface_pb2.VolSurface()
    uneven.CopyFrom(good)
    uneven.snapshot_id = "nope"
    del uneven.slices[0].ask[1:]
    add("surface.SPX", "surface.slices[0].ask: has 1 values", surface=uneven)
    add("surface.SPX", "surface.underlying: is required", surface=surface_pb2.VolSurface())
    signals = signal_pb2.SignalSet(snapshot_id="nope", underlying="SPX", time_ns=FRIDAY_NS)
    add("signal.SPX", "'nope' has no chain", signal_set=signals)
    batch = order_pb2.OrderBatch(snapshot_id="nope", underlying="SPX", time_ns=FRIDAY_NS)
    add("order.SPX", "'nope' has no surface", order_batch=batch)
    batch.fills.add(price=common_pb2.Decimal(units=1, nanos=-1))
    add("order.SPX", "fills[0].price.nanos: must have the same sign", order_batch=batch)
    add("risk.state", "risk_state.state: must be one of", risk_state=risk_pb2.RiskState(state=77))  # type: ignore[arg-type]
    return events


async def test_rubbish_on_the_bus_goes_to_dead_with_a_reason(stack: RunningStack) -> None:
    good = await stack.client.calibration.get_surface(underlying="SPX")
    bus = Client()
    await bus.connect(stack.supervisor.nats_url)
    jetstream = bus.jetstream()
    wanted = set()
    for number, (subject, data, reason) in enumerate(rubbish_events(good)):
        await jetstream.publish(subject, data, headers={"Nats-Msg-Id": f"rubbish-{number}"})
        wanted.add((f"rubbish-{number}", reason))
    missing: set[tuple[str, str]] = set()

    async def all_dead() -> bool:
        last = (await jetstream.stream_info("DEAD")).state.last_seq
        buried = [await jetstream.get_msg("DEAD", sequence) for sequence in range(1, last + 1)]
        said = [
            (message.headers["Skewline-Message-Id"], message.headers["Skewline-Reason"])
            for message in buried
            if message.headers
        ]
        missing.clear()
        missing.update(
            (name, reason)
            for name, reason in wanted
            if not any(n == name and reason in why for n, why in said)
        )
        return not missing

    try:
        await until_so(all_dead)
    except TimeoutError:
        pytest.fail(f"not in DEAD with its reason: {sorted(missing)}")
    finally:
        await bus.close()
    await assert_unharmed(stack)


FILES: dict[str, tuple[Callable[[str], str], str]] = {
    "a missing column": (
        lambda text: text.replace(",strike,", ",strke,", 1),
        "line 1: column strike is missing",
    ),
    "a bad number": (
        lambda text: text.replace(",800.0,", ",abc,", 1),
        "column strike: 'abc' is not a number",
    ),
    "a short row": (lambda text: text.rstrip("\n") + "\nSPX,1\n", "has 2 fields of 17"),
    "no row": (lambda text: text.split("\n", 1)[0] + "\n", "line 2: no row follows"),
    "nothing": (lambda _: "", "line 1: column"),
    "a bad date": (lambda text: text.replace("04/26/2019", "2019-04-26", 1), "'2019-04-26' is not a date"),
    "a far date": (lambda text: text.replace("04/26/2019", "04/26/9999", 1), "'04/26/9999' is not between"),
}


@pytest.mark.parametrize("fault", FILES)
async def test_a_spoiled_file_is_named_with_place_and_fix(
    stack: RunningStack, market_data: Path, tmp_path: Path, fault: str
) -> None:
    spoil, said = FILES[fault]
    real = gzip.decompress((market_data / "spx-2019" / "SPX_20190425.csv.gz").read_bytes()).decode()
    lines = real.splitlines(keepends=True)[:60]
    (tmp_path / "SPX.csv").write_text(spoil("".join(lines)))
    error = await replay_error(stack, f"cboe:{tmp_path}")
    assert "SPX.csv" in error
    assert said in error


@pytest.mark.parametrize("form", ["cboe", "lean", "parquet"])
async def test_bytes_that_are_no_file_of_the_format_are_named(
    stack: RunningStack, market_data: Path, tmp_path: Path, form: str
) -> None:
    whole = (market_data / "spx-2019" / "SPX_20190425.csv.gz").read_bytes()
    zips = tmp_path / "option" / "usa" / "minute" / "spx"
    zips.mkdir(parents=True)
    files = {
        "cboe": tmp_path / "SPX.csv.gz",
        "lean": zips / "20190425_quote_european.zip",
        "parquet": tmp_path / "chains.parquet",
    }
    files[form].write_bytes(whole[: len(whole) // 2])
    error = await replay_error(stack, f"{form}:{tmp_path}")
    assert files[form].name in error
    assert any(fix in error for fix in ("fetch", "write it again"))


async def replay_error(stack: RunningStack, source: str) -> str:
    """What a replay of `source` is refused with, or fails with."""
    try:
        last = await stack.replayed(source)
    except SkewlineError as refusal:
        return str(refusal)
    assert last.status == FAILED
    return last.error


async def test_after_all_that_it_trades_as_if_nothing_had_been(
    stack: RunningStack, market_data: Path
) -> None:
    for service in SERVICES:
        for method in methods_of(service):
            await call_all(stack.supervisor.address(service), method, rubbish_for(method, seed=9, rounds=2))
    folder = market_data / "spx-2019"
    last = await stack.replayed(f"cboe:{folder}", **AFTER)
    assert last.status == COMPLETED, last.error
    source = CboeSource(folder, Selection(first=date(2019, 5, 20), last=date(2019, 5, 24)))
    pipeline = Pipeline(Settings())
    done = [pipeline.feed(source.load(reference)).consequences for reference in source.plan()]
    expected = [each for each in done if each is not None]
    outcome = await stack.outcome()
    signals = [signal for each in expected for signal in each.signal_set.signals]
    fills = [fill for each in expected for fill in each.order_batch.fills]
    orders = {order.order_id: order for each in expected for order in each.order_batch.orders}
    assert fills
    assert {each.signal_id: each for each in outcome.signals} == {each.signal_id: each for each in signals}
    assert {each.order_id: each for each in outcome.orders} == orders
    assert {each.fill_id: each for each in outcome.fills} == {each.fill_id: each for each in fills}
    traded = [each for each in reversed(outcome.portfolios) if each.underlying == "SPX"]
    for portfolio in traded:
        kept = [each for each in portfolio.underlyings if each.underlying == "SPX"]
        del portfolio.underlyings[:]
        portfolio.underlyings.extend(kept)
    assert traded == [each.portfolio for each in expected]
    await assert_unharmed(stack)


async def assert_unharmed(stack: RunningStack) -> None:
    """Every service serves, none was started again, none logged a fault of its own."""
    for service in SERVICES:
        async with grpc.aio.insecure_channel(stack.supervisor.address(service)) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(
                health_pb2.HealthCheckRequest(service=FULL_NAMES[service]), timeout=10
            )
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    for name, process in stack.supervisor.state.processes.items():
        assert (process.state, process.restarts) == ("serving", 0), name
    for service in SERVICES:
        faults = await asyncio.to_thread(logged_faults, stack.home / "logs" / f"{service}.log")
        assert faults == [], service


def logged_faults(log: Path) -> list[str]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line["exception"] for line in lines if line["level"] == "error" and "exception" in line]
