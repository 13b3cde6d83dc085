import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import Connection
from waiting import until

from skewline.servers.runtime import dead_letter
from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.processor import Delivered, Outgoing, Processor
from skewline.servers.runtime.settings.bus import BusSettings
from skewline.storage import event_log, inbox
from skewline.storage.database import Database
from skewline.storage.event_log import LoggedEvent
from skewline.v1 import chain_pb2, event_pb2, surface_pb2

SETTINGS = BusSettings(ack_wait_s=1.0, backoff_s=(0.02,))
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def chain_event(snapshot_id: str) -> event_pb2.Event:
    return envelope(
        service="marketdata",
        payload=chain_pb2.OptionChain(snapshot_id=snapshot_id, underlying="SPX"),
        key=(snapshot_id,),
        time_ns=1,
        snapshot_id=snapshot_id,
        underlying="SPX",
        received_ns=1,
        published_ns=2,
    )


def surface_event(cause: event_pb2.Event) -> event_pb2.Event:
    payload = surface_pb2.VolSurface(snapshot_id=cause.snapshot_id)
    return envelope(service="calibration", payload=payload, cause=cause, received_ns=3, published_ns=4)


class Fitter:
    """A service that counts chains: its engine is the number of surfaces in its event log."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.count = 0
        self.fail_next = 0
        self.traces: list[str] = []

    def restore(self, connection: Connection) -> None:
        self.count = event_log.latest_sequence(connection)

    async def handle(self, delivered: Delivered) -> None:
        self.traces.append(delivered.trace_id)

        def work(_connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            self.count += 1
            if self.fail_next:
                self.fail_next -= 1
                raise RuntimeError("the engine was touched, then something failed")
            return None, [Outgoing("surface.SPX", surface_event(delivered.event))]

        await self.processor.transact(work, cause=delivered.event)


def processor_on(database: Database, bus: Bus) -> Processor:
    return Processor(
        service="calibration",
        database=database,
        bus=bus,
        bus_settings=SETTINGS,
        tracer=TracerProvider().get_tracer("test"),
    )


def log_unpublished(connection: Connection, event: event_pb2.Event) -> None:
    event_log.append(
        connection,
        event_id=event.event_id,
        subject="surface.SPX",
        time_ns=1,
        payload=event.SerializeToString(),
        traceparent=TRACEPARENT,
    )


@asynccontextmanager
async def fitting(
    url: str, folder: Path, *, consuming: bool = True
) -> AsyncIterator[tuple[Fitter, Bus, Database]]:
    with Database.open(f"sqlite:///{folder}", "calibration") as database:
        async with await Bus.connect(url, "calibration") as bus:
            processor = processor_on(database, bus)
            fitter = Fitter(processor)
            await processor.start(fitter.restore)
            if consuming:
                await processor.consume("MARKET", "calibration", ["market.chain.>"], fitter.handle)
            yield fitter, bus, database
            await processor.stop()


class Surfaces:
    """What the stream SURFACE holds."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    async def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)


async def reason_of_death(url: str) -> str:
    client = Client()
    await client.connect(url)
    message = await client.jetstream().get_msg("DEAD", 1)
    await client.close()
    headers: dict[str, str] = message.headers or {}
    return headers[dead_letter.REASON]


async def send(bus: Bus, event: event_pb2.Event, message_id: str) -> None:
    await bus.publish_confirmed(
        "market.chain.SPX", event.SerializeToString(), message_id=message_id, traceparent=TRACEPARENT
    )


async def test_an_event_delivered_twice_is_handled_once(nats_server: NatsServer, tmp_path: Path) -> None:
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, database):
        await bus.tail("surface.>", surfaces, start="all")
        for number, name in enumerate(["a", "a", "b"]):
            await send(bus, chain_event(name), f"delivery {number}")
        await until(lambda: len(surfaces.deliveries) == 2)
        assert fitter.count == 2
        with database.read() as connection:
            assert inbox.seen(connection, chain_event("a").event_id)
            assert event_log.latest_sequence(connection) == 2


async def test_the_consequence_carries_the_trace_of_its_cause(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        await bus.tail("surface.>", surfaces, start="all")
        await send(bus, chain_event("a"), "1")
        await until(lambda: len(surfaces.deliveries) == 1)
        assert fitter.traces == ["0af7651916cd43dd8448eb211c80319c"]
        assert (surfaces.deliveries[0].traceparent or "").split("-")[1] == fitter.traces[0]
        event = event_pb2.Event.FromString(surfaces.deliveries[0].data)
        assert event.cause_id == chain_event("a").event_id
        assert [stamp.service for stamp in event.stamps] == ["marketdata", "calibration"]


async def test_a_failure_rebuilds_the_engine_and_the_event_comes_again(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        await bus.tail("surface.>", surfaces, start="all")
        fitter.fail_next = 2
        await send(bus, chain_event("a"), "1")
        await until(lambda: len(surfaces.deliveries) == 1)
        assert fitter.count == 1, "each failed attempt counted one up before it raised"
        assert len(fitter.traces) == 3


async def test_what_was_committed_and_not_published_is_published_at_the_next_start(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    event = surface_event(chain_event("a"))
    with Database.open(f"sqlite:///{tmp_path}", "calibration") as database, database.begin() as connection:
        log_unpublished(connection, event)
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, database):
        await bus.tail("surface.>", surfaces, start="all")
        await until(lambda: len(surfaces.deliveries) == 1)
        assert surfaces.deliveries[0].message_id == event.event_id
        assert surfaces.deliveries[0].traceparent == TRACEPARENT
        assert fitter.count == 1
        with database.read() as connection:
            assert event_log.unpublished(connection, 10) == []


async def test_what_another_process_committed_and_died_over_is_published_before_the_next_event(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    surfaces = Surfaces()
    chain, surface = chain_event("a"), surface_event(chain_event("a"))
    async with fitting(nats_server.url, tmp_path, consuming=False) as (fitter, bus, database):
        await bus.tail("surface.>", surfaces, start="all")

        async def die(_delivery: Delivery) -> None:
            with database.begin() as connection:
                if not inbox.seen(connection, chain.event_id):
                    inbox.record(connection, chain.event_id, 1)
                    log_unpublished(connection, surface)
            raise RuntimeError("killed after the commit")

        other = await bus.consume("MARKET", "shared", "market.chain.>", die, ack_wait=0.5, backoff_s=(0.01,))
        await send(bus, chain, "1")
        await until(lambda: other.counts.retried >= 1)
        await other.stop()
        assert surfaces.deliveries == []
        await fitter.processor.consume("MARKET", "shared", ["market.chain.>"], fitter.handle)
        await until(lambda: len(surfaces.deliveries) == 1)
        assert surfaces.deliveries[0].message_id == surface.event_id


async def test_listeners_hear_of_what_another_process_committed_in_the_order_of_the_log(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    heard: list[LoggedEvent] = []
    async with (
        fitting(nats_server.url, tmp_path) as (here, _, _),
        await Bus.connect(nats_server.url, "calibration") as bus,
    ):
        with Database.open(f"sqlite:///{tmp_path}", "calibration") as database:
            elsewhere = processor_on(database, bus)
            await elsewhere.start(lambda _connection: None)
            here.processor.on_committed(heard.extend)
            await here.processor.follow(["surface.>"])
            for number in range(6):
                outgoing = Outgoing("surface.SPX", surface_event(chain_event(str(number))))
                processor = (here.processor, elsewhere)[number % 2]
                await processor.transact(lambda _connection, sent=outgoing: (None, [sent]))  # type: ignore[misc]
            await until(lambda: len(heard) == 6)
            await elsewhere.stop()
    assert [item.sequence for item in heard] == [1, 2, 3, 4, 5, 6]


async def test_published_events_are_marked_at_a_stop(nats_server: NatsServer, tmp_path: Path) -> None:
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        await send(bus, chain_event("a"), "1")
        await until(lambda: fitter.count == 1)
    with Database.open(f"sqlite:///{tmp_path}", "calibration") as database, database.read() as connection:
        assert event_log.unpublished(connection, 10) == []


async def test_a_caller_that_goes_away_does_not_keep_its_events_from_the_bus(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    surfaces = Surfaces()
    entered, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        await bus.tail("surface.>", surfaces, start="all")

        def slow(_connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            loop.call_soon_threadsafe(entered.set)
            asyncio.run_coroutine_threadsafe(leave.wait(), loop).result()
            return None, [Outgoing("surface.SPX", surface_event(chain_event("a")))]

        caller = asyncio.create_task(fitter.processor.transact(slow))
        await entered.wait()
        caller.cancel()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await until(lambda: len(surfaces.deliveries) == 1)


async def test_listeners_hear_of_events_after_their_commit(nats_server: NatsServer, tmp_path: Path) -> None:
    heard: list[LoggedEvent] = []
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        fitter.processor.on_committed(heard.extend)
        await send(bus, chain_event("a"), "1")
        await until(lambda: len(heard) == 1)
        assert (heard[0].subject, heard[0].sequence) == ("surface.SPX", 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff\xff", "not a skewline.v1.Event"),
        (b"", "event_id is empty"),
        (event_pb2.Event(event_id="x").SerializeToString(), "no payload"),
    ],
)
async def test_what_is_no_event_is_put_aside_with_the_reason(
    nats_server: NatsServer, tmp_path: Path, data: bytes, reason: str
) -> None:
    dead = Surfaces()
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (_, bus, _):
        await bus.tail("dead.>", dead, start="all")
        await bus.tail("surface.>", surfaces, start="all")
        await bus.publish_confirmed("market.chain.SPX", data, message_id="rubbish")
        await send(bus, chain_event("a"), "good")
        await until(lambda: len(dead.deliveries) == 1 and len(surfaces.deliveries) == 1)
        assert dead.deliveries[0].data == data
        assert reason in await reason_of_death(nats_server.url)


async def test_a_bus_that_is_away_loses_nothing(nats_server: NatsServer, tmp_path: Path) -> None:
    surfaces = Surfaces()
    async with fitting(nats_server.url, tmp_path) as (fitter, bus, _):
        await bus.tail("surface.>", surfaces, start="all")
        nats_server.kill()

        def work(_connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            return None, [Outgoing("surface.SPX", surface_event(chain_event("a")))]

        sending = asyncio.create_task(fitter.processor.transact(work))
        await asyncio.to_thread(nats_server.start)
        await sending
        await until(lambda: len(surfaces.deliveries) >= 1)
        assert {delivery.message_id for delivery in surfaces.deliveries} == {
            surface_event(chain_event("a")).event_id
        }
