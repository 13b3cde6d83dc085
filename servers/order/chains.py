"""The chain of a snapshot: from what was heard on the bus, else asked of the market data service."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

import grpc
import grpc.aio

from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.bus import Bus, Delivery, Poison, Tail
from skewline.servers.runtime.event_rules import event_of
from skewline.servers.runtime.logs import logger
from skewline.v1 import chain_pb2, market_data_service_pb2, market_data_service_pb2_grpc

_SUBJECTS: Final = "market.chain.>"
_AWAY: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Chains:
    """Keeps the newest chains in memory. The bus is a shortcut; what it did not bring is asked for."""

    def __init__(self, bus: Bus, channel: grpc.aio.Channel, *, kept: int, deadline_s: float) -> None:
        """`kept` chains stay in memory; `deadline_s` is for one question to the market data service."""
        self._bus = bus
        self._stub = market_data_service_pb2_grpc.MarketDataServiceStub(channel)
        self._kept = kept
        self._deadline_s = deadline_s
        self._chains: OrderedDict[str, chain_pb2.OptionChain] = OrderedDict()
        self._tail: Tail | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._tail = await self._bus.tail(_SUBJECTS, self._hear, start="last_per_subject")

    async def stop(self) -> None:
        """Stop listening."""
        if self._tail is not None:
            await self._tail.stop()

    async def get(self, snapshot_id: str) -> chain_pb2.OptionChain:
        """The chain; waits for as long as the market data service is away.

        Raises Poison when there is none, grpc.aio.AioRpcError for any other answer than the chain.
        """
        held = self._chains.get(snapshot_id)
        if held is None:
            held = await self._ask(snapshot_id)
            self._keep(held)
        return held

    async def _ask(self, snapshot_id: str) -> chain_pb2.OptionChain:
        request = market_data_service_pb2.GetChainRequest(snapshot_id=snapshot_id)
        backoff = Backoff(first=0.1, most=5.0)
        while True:
            try:
                response = await self._stub.GetChain(request, timeout=self._deadline_s, wait_for_ready=True)
            except grpc.aio.AioRpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    reason = f"snapshot_id {snapshot_id!r} has no chain: it must be one that was fed"
                    raise Poison(reason) from error
                if error.code() not in _AWAY:
                    raise
                logger(__name__).warning("marketdata_away", snapshot_id=snapshot_id, error=error.details())
                await asyncio.sleep(backoff.next())
            else:
                return response.chain

    async def _hear(self, delivery: Delivery) -> None:
        self._keep(event_of(delivery).chain)

    def _keep(self, chain: chain_pb2.OptionChain) -> None:
        self._chains[chain.snapshot_id] = chain
        while len(self._chains) > self._kept:
            self._chains.popitem(last=False)
