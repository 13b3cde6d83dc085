"""Gathers the record of a run from the services, through the public client alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, TypeVar

from skewline.clients.async_client import AsyncClient
from skewline.clients.demo.fill_path import path_of_fill
from skewline.clients.demo.record import RunRecord
from skewline.clients.endpoints import SERVICE_NAMES
from skewline.v1 import market_data_service_pb2, order_pb2, order_service_pb2, surface_pb2

T = TypeVar("T")
_PAGE: Final = 1000
_AT_ONCE: Final = 16
_TRACE_WITHIN_S: Final = 5.0
_TRACE_AGAIN_S: Final = 0.1


async def collect(client: AsyncClient, replay: market_data_service_pb2.Replay) -> RunRecord:
    """The record of `replay`, which has ended. Raises SkewlineError."""
    surfaces = await _oldest_first(client.calibration.list_surfaces(page_size=_PAGE))
    orders = await _oldest_first(client.order.list_orders(page_size=_PAGE))
    fills = await _oldest_first(client.order.list_fills(page_size=_PAGE))
    shown = fill_to_show(orders, fills)
    return RunRecord(
        replay=replay,
        chains=await _oldest_first(client.market_data.list_chains(page_size=_PAGE)),
        surfaces=surfaces,
        whole_surfaces=tuple(
            [
                await client.calibration.get_surface(surface_id=surface.surface_id)
                for surface in first_and_last(surfaces)
            ]
        ),
        signals=await _oldest_first(client.signal.list_signals(page_size=_PAGE)),
        orders=orders,
        order_events=await _events(client, orders),
        fills=fills,
        positions=tuple([p async for p in client.order.list_positions(include_closed=True, page_size=_PAGE)]),
        pnl=tuple([point async for point in client.order.list_pnl(page_size=_PAGE)]),
        portfolios=await _oldest_first(client.risk.list_portfolios(page_size=_PAGE)),
        decisions=await _oldest_first(client.risk.list_decisions(page_size=_PAGE)),
        trace=path_of_fill(await _whole_trace(client, shown.fill_id), shown) if shown is not None else (),
        traced_fill=shown.fill_id if shown is not None else "",
    )


def first_and_last(surfaces: Sequence[surface_pb2.VolSurface]) -> list[surface_pb2.VolSurface]:
    """The first and the last usable surface of each underlying, oldest first."""
    usable: dict[str, list[surface_pb2.VolSurface]] = {}
    for surface in surfaces:
        if surface.status != surface_pb2.FIT_STATUS_FAILED:
            usable.setdefault(surface.underlying, []).append(surface)
    return [end for _, fitted in sorted(usable.items()) for end in (fitted[:1] + fitted[1:][-1:])]


def fill_to_show(orders: Iterable[order_pb2.Order], fills: Iterable[order_pb2.Fill]) -> order_pb2.Fill | None:
    """A fill of the snapshot that caused its order, so that one trace holds both; else the first fill."""
    fills = list(fills)
    caused_by = {order.order_id: order.snapshot_id for order in orders}
    at_once = (fill for fill in fills if caused_by.get(fill.order_id) == fill.snapshot_id)
    return next(at_once, fills[0] if fills else None)


async def _oldest_first(listing: AsyncIterator[T]) -> tuple[T, ...]:
    newest_first = [item async for item in listing]
    return tuple(reversed(newest_first))


async def _events(client: AsyncClient, orders: Sequence[order_pb2.Order]) -> tuple[order_pb2.OrderEvent, ...]:
    events: list[order_pb2.OrderEvent] = []
    for start in range(0, len(orders), _AT_ONCE):
        some = orders[start : start + _AT_ONCE]
        for found in await asyncio.gather(*(client.order.get_order(order.order_id) for order in some)):
            events.extend(found.events)
    return tuple(events)


async def _whole_trace(client: AsyncClient, fill_id: str) -> tuple[order_service_pb2.Span, ...]:
    # Spans reach the store a moment after they end; a trace of all five services is whole.
    deadline = time.monotonic() + _TRACE_WITHIN_S
    while True:
        spans = tuple((await client.order.get_trace(fill_id=fill_id)).spans)
        if {span.service for span in spans} >= set(SERVICE_NAMES) or time.monotonic() > deadline:
            return spans
        await asyncio.sleep(_TRACE_AGAIN_S)
