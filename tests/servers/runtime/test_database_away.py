"""The processor while its database dies, comes back, or loses the word of a commit."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from forgetful_database import ForgetfulDatabase
from opentelemetry.sdk.trace import TracerProvider
from servers_under_test.postgres import PostgresServer, installation
from sqlalchemy import Connection, func, select
from waiting import until, until_so

from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.delivery import Delivery
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.processor import Delivered, Outgoing, Processor
from skewline.servers.runtime.settings.bus import BusSettings
from skewline.storage import event_log, inbox
from skewline.storage.database import Database
from skewline.storage.event_log import LoggedEvent
from skewline.storage.schema import INBOX
from skewline.v1 import chain_pb2, event_pb2, surface_pb2

pytestmark = pytest.mark.timeout(60)

SETTINGS = BusSettings(ack_wait_s=1.0, backoff_s=(0.02,), max_deliver=2)


class Counter:
    """Its engine is how many events it handled."""

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.count = 0
        self.touched: Callable[[], None] = _nothing

    def restore(self, connection: Connection) -> None:
        self.count = event_log.latest_sequence(connection)

    async def handle(self, delivered: Delivered) -> None:
        def work(_connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            self.count += 1
            payload = surface_pb2.VolSurface(snapshot_id=delivered.event.snapshot_id)
            event = envelope(
                service="calibration", payload=payload, cause=delivered.event, received_ns=3, published_ns=4
            )
            self.touched()
            return None, [Outgoing("surface.SPX", event)]

        await self.processor.transact(work, cause=delivered.event)


def _nothing() -> None:
    """Of the engine."""


@asynccontextmanager
async def counting(
    url: str, database: Database, keep_handled: int = 65_536
) -> AsyncIterator[tuple[Counter, Bus]]:
    async with await Bus.connect(url, "calibration") as bus:
        processor = Processor(
            service="calibration",
            database=database,
            bus=bus,
            bus_settings=SETTINGS,
            tracer=TracerProvider().get_tracer("test"),
            keep_handled=keep_handled,
        )
        counter = Counter(processor)
        await processor.start(counter.restore)
        await processor.consume("MARKET", "calibration", ["market.chain.>"], counter.handle)
        yield counter, bus
        await processor.stop()


def chain_event(name: str) -> event_pb2.Event:
    return envelope(
        service="marketdata",
        payload=chain_pb2.OptionChain(snapshot_id=name, underlying="SPX"),
        key=(name,),
        time_ns=1,
        snapshot_id=name,
        underlying="SPX",
        received_ns=1,
        published_ns=2,
    )


async def send(bus: Bus, name: str) -> None:
    event = chain_event(name)
    await bus.publish_confirmed(
        "market.chain.SPX", event.SerializeToString(), message_id=f"{name} {event.event_id}"
    )


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill."""
    server = PostgresServer(installation())
    try:
        server.start()
        yield server
    finally:
        server.stop()


async def test_an_event_outlasts_a_database_that_dies_under_it(
    nats_server: NatsServer, postgres: PostgresServer
) -> None:
    surfaces: list[Delivery] = []

    async def hear(delivery: Delivery) -> None:
        surfaces.append(delivery)

    attempts = 0

    def die_at_the_first() -> None:
        nonlocal attempts
        if not attempts:
            postgres.halt()
        attempts += 1

    with Database.open(postgres.url(postgres.new_database()), "calibration") as database:
        async with counting(nats_server.url, database) as (counter, bus):
            await bus.tail("surface.>", hear, start="all")
            counter.touched = die_at_the_first
            await send(bus, "a")
            await until(lambda: attempts == 1)
            postgres.resume()
            await until(lambda: len(surfaces) == 1)
            assert (attempts, counter.count) == (2, 1), "the engine of the first attempt was thrown away"
            await send(bus, "b")
            await until(lambda: len(surfaces) == 2)
            assert counter.count == 2


async def test_a_commit_whose_confirmation_is_lost_is_published_and_told(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surfaces: list[Delivery] = []
    told: list[LoggedEvent] = []

    async def hear(delivery: Delivery) -> None:
        surfaces.append(delivery)

    monkeypatch.setattr(ForgetfulDatabase, "every", 2)
    with ForgetfulDatabase.open(f"sqlite:///{tmp_path}", "calibration") as database:
        async with counting(nats_server.url, database) as (counter, bus):
            await bus.tail("surface.>", hear, start="all")
            counter.processor.on_committed(told.extend)
            for name in ("a", "b", "c", "d"):
                await send(bus, name)
            await until(lambda: len(surfaces) == 4)
            assert counter.count == 4
            assert [item.sequence for item in told] == [1, 2, 3, 4]
            assert [item.event_id for item in told] == [delivery.message_id for delivery in surfaces]


async def test_the_inbox_stays_bounded_and_knows_what_is_recent(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    names = [f"chain {number}" for number in range(130)]
    with Database.open(f"sqlite:///{tmp_path}", "calibration") as database:
        async with counting(nats_server.url, database, keep_handled=20) as (counter, bus):
            for name in names:
                await send(bus, name)
            last = chain_event(names[-1]).event_id

            async def the_last_is_handled() -> bool:
                return await counter.processor.read(lambda connection: inbox.seen(connection, last))

            await until_so(the_last_is_handled)
            with database.read() as connection:
                assert connection.execute(select(func.count()).select_from(INBOX)).scalar_one() == 22
                assert all(inbox.seen(connection, chain_event(name).event_id) for name in names[-20:])
