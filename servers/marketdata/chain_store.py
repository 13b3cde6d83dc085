"""Stored chains by id, the recent ones from the cache."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from skewline.servers.marketdata.intake import Taken
from skewline.servers.runtime.messages import copy_into
from skewline.servers.runtime.processor import Processor
from skewline.storage.cache import Cache
from skewline.storage.marketdata import chains
from skewline.v1 import chain_pb2, market_data_service_pb2

_KEEP_S: Final = 3600.0


class ChainStore:
    """Reads chains. What an id stands for never changes, so that the cache cannot be stale.

    Deleted ones must be forgotten.
    """

    def __init__(self, processor: Processor, cache: Cache) -> None:
        self._processor = processor
        self._cache = cache

    async def remember(self, taken: Taken) -> None:
        """Keep a chain at hand that was just accepted: it is about to be asked for."""
        if taken.chain is not None:
            await self._keep(_response(taken.chain, taken.summary))

    async def get(self, snapshot_id: str) -> market_data_service_pb2.GetChainResponse | None:
        """The chain and its summary, None if it is not stored."""
        kept = await self._cache.get(_key(snapshot_id))
        if kept is not None:
            return market_data_service_pb2.GetChainResponse.FromString(kept)
        found = await self._processor.read(lambda connection: chains.chain(connection, snapshot_id))
        if found is None:
            return None
        response = _response(*found)
        await self._keep(response)
        return response

    async def forget(self, snapshot_ids: Iterable[str]) -> None:
        """Let go of chains that were deleted."""
        for snapshot_id in snapshot_ids:
            await self._cache.delete(_key(snapshot_id))

    async def _keep(self, response: market_data_service_pb2.GetChainResponse) -> None:
        await self._cache.set(_key(response.summary.snapshot_id), response.SerializeToString(), _KEEP_S)


def _response(
    chain: chain_pb2.OptionChain, summary: chain_pb2.ChainSummary
) -> market_data_service_pb2.GetChainResponse:
    response = market_data_service_pb2.GetChainResponse(summary=summary)
    copy_into(response.chain, chain)
    return response


def _key(snapshot_id: str) -> str:
    return f"chain:{snapshot_id}"
