"""Follows a replay through the live streams of the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal

from skewline.clients.async_client import AsyncClient
from skewline.clients.questions import Update
from skewline.clients.values import decimal_of


@dataclass(slots=True)
class Tally:
    """What the streams have brought so far."""

    signals: int = 0
    orders: set[str] = field(default_factory=set)
    fills: int = 0
    net: dict[str, Decimal] = field(default_factory=dict)
    """Net profit and loss by currency."""


@asynccontextmanager
async def tallying(client: AsyncClient) -> AsyncIterator[Tally]:
    """Counts what comes over the streams of signals and orders for as long as the block runs."""
    tally = Tally()
    tasks = [
        asyncio.create_task(_count_signals(client, tally)),
        asyncio.create_task(_count_orders(client, tally)),
    ]
    try:
        yield tally
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _count_signals(client: AsyncClient, tally: Tally) -> None:
    async for update in client.signal.stream_signals():
        if isinstance(update, Update):
            tally.signals += len(update.content.signals)


async def _count_orders(client: AsyncClient, tally: Tally) -> None:
    async for update in client.order.stream_orders():
        if not isinstance(update, Update):
            continue
        tally.orders.update(order.order_id for order in update.content.orders)
        tally.fills += len(update.content.fills)
        tally.net.update((point.currency, decimal_of(point.net)) for point in update.content.pnl)
