"""What a service commits, as its stream rpc gives it out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import Connection

from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.settings.bus import BusSettings
from skewline.servers.runtime.streaming import Feed, stream_subscription, subscription_command
from skewline.servers.runtime.subscription import Grant, Reply, Terms
from skewline.storage import event_log
from skewline.storage.database import Database
from skewline.v1 import chain_pb2, common_pb2, event_pb2
from skewline.v1 import market_data_service_pb2 as pb


def chain_event(name: str, underlying: str = "XYZ") -> Outgoing:
    event = envelope(
        service="marketdata",
        payload=chain_pb2.OptionChain(snapshot_id=name, underlying=underlying),
        key=(name,),
        time_ns=1,
        snapshot_id=name,
        underlying=underlying,
        received_ns=1,
        published_ns=2,
    )
    return Outgoing(f"market.chain.{underlying}", event)


def chain_of(event: event_pb2.Event) -> chain_pb2.OptionChain | None:
    return None if event.snapshot_id.startswith("hidden") else event.chain


@pytest.fixture
async def processor(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Processor]:
    with Database.open(f"sqlite:///{tmp_path}", "marketdata") as database:
        async with await Bus.connect(nats_server.url, "marketdata") as bus:
            made = Processor(
                service="marketdata",
                database=database,
                bus=bus,
                bus_settings=BusSettings(),
                tracer=TracerProvider().get_tracer("test"),
            )
            await made.start(lambda _connection: None)
            yield made
            await made.stop()


async def commit(processor: Processor, *names: str, underlying: str = "XYZ") -> None:
    for name in names:

        def work(_connection: Connection, name: str = name) -> tuple[None, Sequence[Outgoing]]:
            return None, [chain_event(name, underlying)]

        async with processor.turn:
            await processor.transact(work)


class Client:
    """The client's end of a stream."""

    def __init__(self, feed: Feed[chain_pb2.OptionChain]) -> None:
        self.requests: asyncio.Queue[pb.StreamChainsRequest] = asyncio.Queue()
        self.responses = stream_subscription(feed, self._sent(), pb.StreamChainsResponse)

    async def _sent(self) -> AsyncIterator[pb.StreamChainsRequest]:
        while True:
            yield await self.requests.get()

    def subscribe(self, resume_after: int = 0, credit: int = 0, underlyings: Sequence[str] = ()) -> None:
        wanted = common_pb2.Subscription(resume_after=resume_after, credit=credit, underlyings=underlyings)
        self.requests.put_nowait(pb.StreamChainsRequest(subscribe=wanted))

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(10):
            response = await anext(self.responses)
        kind = response.WhichOneof("item") or ""
        chain = getattr(response, kind)
        return kind, chain.snapshot_id if isinstance(chain, chain_pb2.OptionChain) else ""


async def test_what_is_current_comes_from_the_log_after_a_restart(processor: Processor) -> None:
    await commit(processor, "a", "b")
    await commit(processor, "c", underlying="ABC")
    feed = Feed(processor, ("market.chain.>",), chain_of)
    await feed.start()
    client = Client(feed)
    client.subscribe()
    assert [await client.next() for _ in range(2)] == [("snapshot", "b"), ("snapshot", "c")]
    await commit(processor, "d")
    assert await client.next() == ("update", "d")
    await client.responses.aclose()


async def test_a_client_resumes_past_events_that_are_not_streamed(processor: Processor) -> None:
    feed = Feed(processor, ("market.chain.>",), chain_of)
    await feed.start()
    await commit(processor, "a", *(f"hidden {number}" for number in range(20)), "b", "hidden", "c")
    client = Client(feed)
    client.subscribe(resume_after=1)
    assert [await client.next() for _ in range(2)] == [("update", "b"), ("update", "c")]
    await commit(processor, "d")
    assert await client.next() == ("update", "d")
    await client.responses.aclose()


async def test_without_credit_updates_are_conflated_and_the_gap_is_told(processor: Processor) -> None:
    await commit(processor, "z")
    feed = Feed(processor, ("market.chain.>",), chain_of)
    await feed.start()
    client = Client(feed)
    client.subscribe(credit=2)
    assert await client.next() == ("snapshot", "z")
    await commit(processor, "a")
    assert await client.next() == ("update", "a")
    await commit(processor, "b", "c", "d")
    client.requests.put_nowait(pb.StreamChainsRequest(credit=common_pb2.Credit(updates=1)))
    assert [await client.next() for _ in range(2)] == [("gap", ""), ("update", "d")]
    await client.responses.aclose()


async def test_resuming_from_the_future_is_refused(processor: Processor) -> None:
    feed = Feed(processor, ("market.chain.>",), chain_of)
    await feed.start()
    client = Client(feed)
    client.subscribe(resume_after=99)
    with pytest.raises(InvalidArgument, match="resume_after"):
        await client.next()


async def test_resuming_from_before_the_log_begins_is_told_as_a_gap(
    processor: Processor, tmp_path: Path
) -> None:
    await commit(processor, "a", "b", "c", "d")
    await processor.stop()
    with Database.open(f"sqlite:///{tmp_path}", "marketdata") as database, database.begin() as connection:
        event_log.mark_published(connection, [1, 2, 3, 4])
        event_log.prune(connection, 2)
    with Database.open(f"sqlite:///{tmp_path}", "marketdata") as database:
        reader = Processor(
            service="marketdata",
            database=database,
            bus=processor._bus,
            bus_settings=BusSettings(),
            tracer=TracerProvider().get_tracer("test"),
        )
        feed = Feed(reader, ("market.chain.>",), chain_of)
        await feed.start()
        client = Client(feed)
        client.subscribe(resume_after=1)
        assert [await client.next() for _ in range(3)] == [("gap", ""), ("update", "c"), ("update", "d")]
        await client.responses.aclose()
        await reader.stop()


async def test_commands_are_understood() -> None:
    subscribing = pb.StreamChainsRequest(subscribe=common_pb2.Subscription(underlyings=["A"], credit=3))
    assert await subscription_command(subscribing) == Terms(frozenset(["A"]), 0, 3)
    assert await subscription_command(pb.StreamChainsRequest(credit=common_pb2.Credit(updates=2))) == Grant(2)
    with pytest.raises(InvalidArgument, match="command"):
        await subscription_command(pb.StreamChainsRequest())


async def test_a_service_answers_commands_of_its_own_on_the_stream(processor: Processor) -> None:
    feed = Feed(processor, ("market.chain.>",), chain_of)
    await feed.start()

    async def command(_request: pb.StreamChainsRequest) -> Reply:
        return Reply(pb.StreamChainsResponse(gap=common_pb2.Gap(reason="MINE")))

    async def one() -> AsyncIterator[pb.StreamChainsRequest]:
        yield pb.StreamChainsRequest()

    responses = stream_subscription(feed, one(), pb.StreamChainsResponse, command=command)
    assert (await anext(responses)).gap.reason == "MINE"
    await responses.aclose()
