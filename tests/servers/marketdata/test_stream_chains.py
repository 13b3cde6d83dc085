"""The conversation of StreamChains over gRPC: changed subscriptions, credit, gaps, resumption, heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain
from market_service import market_data_service, settings_of

from skewline.servers.runtime.nats_server import NatsServer
from skewline.servers.runtime.settings import Settings
from skewline.v1 import chain_pb2, common_pb2
from skewline.v1 import market_data_service_pb2 as pb

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

DEADLINE_S = 30.0


@pytest.fixture
def settings(nats_server: NatsServer, tmp_path: Path) -> Settings:
    return settings_of(tmp_path, nats_server.url)


class Conversation:
    """A client's side of the stream."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def subscribe(
        self, underlyings: Sequence[str] = (), resume_after: int = 0, credit: int = 0
    ) -> None:
        wanted = common_pb2.Subscription(underlyings=underlyings, resume_after=resume_after, credit=credit)
        await self._call.write(pb.StreamChainsRequest(subscribe=wanted))

    async def grant(self, updates: int) -> None:
        await self._call.write(pb.StreamChainsRequest(credit=common_pb2.Credit(updates=updates)))

    async def next(self, *, heartbeats: bool = False) -> pb.StreamChainsResponse:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                response: pb.StreamChainsResponse = await self._call.read()
                if heartbeats or response.WhichOneof("item") != "heartbeat":
                    return response


@asynccontextmanager
async def conversation(stub: MarketDataServiceAsyncStub) -> AsyncIterator[Conversation]:
    call: Any = stub.StreamChains()
    yield Conversation(call)
    call.cancel()


async def publish(stub: MarketDataServiceAsyncStub, *chains: chain_pb2.OptionChain) -> None:
    """One after another, so that each has a commit of its own."""
    for chain in chains:

        async def requests(one: chain_pb2.OptionChain = chain) -> AsyncIterator[pb.PublishChainsRequest]:
            yield pb.PublishChainsRequest(request_id="one", chain=one)

        answers = [answer.summary.status async for answer in stub.PublishChains(requests())]
        assert answers == [chain_pb2.CHAIN_STATUS_ACCEPTED]


def at(minute: int, underlying: str = "XYZ") -> chain_pb2.OptionChain:
    time_ns = FRIDAY_NS + minute * MINUTE_NS
    return small_chain(underlying=underlying, time_ns=time_ns, spot=100.0 + minute / 10)


def minute_of(chain: chain_pb2.OptionChain) -> int:
    return (chain.time_ns - FRIDAY_NS) // MINUTE_NS


async def test_a_subscription_is_changed_on_the_same_stream(settings: Settings) -> None:
    async with market_data_service(settings) as stub, conversation(stub) as stream:
        await publish(stub, at(0), at(0, "ABC"))
        await stream.subscribe(["XYZ"])
        first = await stream.next()
        assert (first.WhichOneof("item"), first.snapshot.underlying) == ("snapshot", "XYZ")
        await stream.subscribe(["ABC"])
        changed = await stream.next()
        assert (changed.WhichOneof("item"), changed.snapshot.underlying) == ("snapshot", "ABC")
        await publish(stub, at(1), at(1, "ABC"))
        update = await stream.next()
        assert (update.WhichOneof("item"), update.update.underlying) == ("update", "ABC")
        assert update.sequence > changed.sequence


async def test_without_credit_chains_are_conflated_and_the_gap_is_told(settings: Settings) -> None:
    async with market_data_service(settings) as stub, conversation(stub) as stream:
        await publish(stub, at(0))
        await stream.subscribe(credit=1)
        first = await stream.next()
        assert minute_of(first.snapshot) == 0
        await publish(stub, at(1), at(2), at(3))
        await stream.grant(1)
        gap = await stream.next()
        assert gap.WhichOneof("item") == "gap"
        assert (gap.gap.reason, gap.gap.skipped) == ("CONFLATED", 2)
        newest = await stream.next()
        assert minute_of(newest.update) == 3
        assert gap.sequence == first.sequence < gap.gap.from_sequence <= gap.gap.to_sequence < newest.sequence


async def test_a_client_resumes_after_a_restart_with_nothing_missing(settings: Settings) -> None:
    async with market_data_service(settings) as stub, conversation(stub) as stream:
        await stream.subscribe()
        await publish(stub, at(0))
        seen = await stream.next()
        await publish(stub, at(1), at(2, "ABC"))
    async with market_data_service(settings) as stub, conversation(stub) as stream:
        await stream.subscribe(resume_after=seen.sequence)
        missed = [await stream.next() for _ in range(2)]
        assert [(each.update.underlying, minute_of(each.update)) for each in missed] == [
            ("XYZ", 1),
            ("ABC", 2),
        ]
        await publish(stub, at(3))
        live = await stream.next()
        assert minute_of(live.update) == 3
        sequences = [each.sequence for each in (seen, *missed, live)]
        assert sequences == sorted(set(sequences))


async def test_an_idle_stream_says_that_it_is_alive_and_where_to_resume(settings: Settings) -> None:
    async with market_data_service(settings) as stub, conversation(stub) as stream:
        await publish(stub, at(0))
        await stream.subscribe(["NONE"])
        beat = await stream.next(heartbeats=True)
        assert beat.WhichOneof("item") == "heartbeat"
        assert beat.heartbeat.sequence == beat.sequence > 0
        assert beat.heartbeat.time_ns > FRIDAY_NS
