"""One stream of chains out to many subscribers, one of which stopped reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import real_flow
from ingest_rows import publish
from market_server import MarketServer, market_server
from processor_time import processor_seconds
from real_chains import NO_GOOG
from table_row import Row, Rows, Unit

from skewline.v1 import chain_pb2, common_pb2
from skewline.v1 import market_data_service_pb2 as pb
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

_CHAINS = 200
_MEGABYTE = 1e6
# What a stalled subscriber may cost: its bounded buffer of chains, and what gRPC has in hand for it.
_MOST_GROWTH = 100.0
_PATIENCE_S = 120.0


def rows() -> Rows:
    """To 1, 10 and 100 subscribers, GOOG minutes."""
    if NO_GOOG:
        yield Row("fan-out", reason=NO_GOOG)
        return
    chains = real_flow.goog(_CHAINS)
    for readers in (1, 10, 100):
        yield asyncio.run(_row(chains, readers))


async def _row(chains: Sequence[chain_pb2.OptionChain], readers: int) -> Row:
    async with market_server() as server:
        await publish(server, chains[:1])
        newest = chains[-1].time_ns
        following = [Follower(server, newest) for _ in range(readers)]
        stalled = Follower(server, newest)
        for follower in (*following, stalled):
            await follower.open()
        before, used, start = server.resident_bytes, processor_seconds(), time.perf_counter()
        reading = [asyncio.create_task(follower.read()) for follower in following]
        await publish(server, chains[1:])
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*reading)
        took = time.perf_counter() - start
        used = processor_seconds() - used
        grown = (server.resident_bytes - before) / _MEGABYTE
        # What the stalled one missed while it did not read, it is told.
        async with asyncio.timeout(_PATIENCE_S):
            await stalled.read()
        for follower in (*following, stalled):
            await follower.close()
    sent = real_flow.quotes(chains[1:]) * readers
    whole = all(follower.received + follower.skipped == len(chains) - 1 for follower in (*following, stalled))
    conflated = sum(follower.skipped for follower in following)
    return Row(
        f"fan-out to {readers} and one that stalls, GOOG minutes",
        sent / took,
        f"every chain received or told as skipped: {whole}; skipped for readers {conflated},"
        f" for the stalled {stalled.skipped}; memory {grown:+.0f} MB;"
        f" {1e6 * used / readers / len(chains):.0f} µs of processors a chain and reader",
        exact=whole and grown < _MOST_GROWTH,
        threads=2,
        unit=Unit.RATE,
    )


class Follower:
    """A subscriber on a connection of its own."""

    def __init__(self, server: MarketServer, until_ns: int) -> None:
        self.received = 0
        self.skipped = 0
        self._until_ns = until_ns
        self._channel = server.channel()
        self._call = MarketDataServiceStub(self._channel).StreamChains()

    async def open(self) -> None:
        """Subscribe, and take what is current."""
        await self._call.write(pb.StreamChainsRequest(subscribe=common_pb2.Subscription()))
        response = await self._call.read()
        assert isinstance(response, pb.StreamChainsResponse)
        assert response.HasField("snapshot")

    async def read(self) -> None:
        """Until the newest chain."""
        while True:
            response = await self._call.read()
            assert isinstance(response, pb.StreamChainsResponse)
            if response.HasField("gap"):
                self.skipped += response.gap.skipped
            elif response.HasField("update"):
                self.received += 1
                if response.update.time_ns == self._until_ns:
                    return

    async def close(self) -> None:
        """End it."""
        self._call.cancel()
        await self._channel.close()
