"""The whole stack as a user runs it: NATS and five processes, reached by the public client."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from skewline.clients.async_client import AsyncClient
from skewline.clients.endpoints import Endpoints
from skewline.servers.runtime.settings import SERVICES, load_settings
from skewline.servers.runtime.stack import stack_of
from skewline.servers.runtime.supervisor import Supervisor
from skewline.v1 import market_data_service_pb2, order_pb2, risk_pb2, signal_pb2

T = TypeVar("T", signal_pb2.Signal, order_pb2.Order, order_pb2.Fill)

FEW_DAYS: Mapping[str, str] = {"from_date": "2019-05-20", "to_date": "2019-05-29"}
"""Eight files of SPX: the holiday of 2019-05-27 among them, and enough to trade on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run decided, without trace ids, which name a trace and decide nothing."""

    signals: tuple[signal_pb2.Signal, ...]
    orders: tuple[order_pb2.Order, ...]
    events: tuple[order_pb2.OrderEvent, ...]
    fills: tuple[order_pb2.Fill, ...]
    positions: tuple[order_pb2.Position, ...]
    pnl: tuple[order_pb2.Pnl, ...]
    portfolios: tuple[risk_pb2.PortfolioSnapshot, ...]


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A stack that runs, and a client of it."""

    supervisor: Supervisor
    client: AsyncClient

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.supervisor.home

    def pid(self, process: str) -> int:
        """Process id of a service (or of "nats") now."""
        return self.supervisor.state.processes[process].pid

    def kill(self, process: str) -> None:
        """End it as a crash would: SIGKILL."""
        os.kill(self.pid(process), signal.SIGKILL)

    async def replay(self, source: str, **selection: object) -> AsyncIterator[market_data_service_pb2.Replay]:
        """Start a replay and yield its state at each step until it ends."""
        started = await self.client.market_data.start_replay(source, **selection)  # type: ignore[arg-type]
        yield started
        async for state in self.client.market_data.watch_replay(started.replay_id):
            yield state

    async def replayed(self, source: str, **selection: object) -> market_data_service_pb2.Replay:
        """Replay to the end and return the last state."""
        state = market_data_service_pb2.Replay()
        async for state in self.replay(source, **selection):  # noqa: B007 - the last one counts
            pass
        return state

    async def outcome(self) -> Outcome:
        """What was decided so far."""
        signals = [item async for item in self.client.signal.list_signals()]
        orders = [item async for item in self.client.order.list_orders()]
        histories = [await self.client.order.get_order(order.order_id) for order in orders]
        return Outcome(
            signals=_untraced(signals),
            orders=_untraced(orders),
            events=tuple(event for history in histories for event in history.events),
            fills=_untraced([item async for item in self.client.order.list_fills()]),
            positions=tuple([item async for item in self.client.order.list_positions(include_closed=True)]),
            pnl=tuple([item async for item in self.client.order.list_pnl()]),
            portfolios=tuple([item async for item in self.client.risk.list_portfolios()]),
        )


@asynccontextmanager
async def running_stack(home: Path, settings: Sequence[str] = ()) -> AsyncIterator[RunningStack]:
    """A stack at `home` on ports of its own, with `settings` (`section.field=value`); stopped at the end.

    What venues in tests show is of any age.
    """
    loaded = load_settings(None, [f"home={home}", "marketdata.stale_after_s=0", *settings], environment={})
    async with stack_of(loaded, any_ports=True) as supervisor:
        endpoints = Endpoints(**{service: supervisor.address(service) for service in SERVICES})
        async with AsyncClient(endpoints) as client:
            yield RunningStack(supervisor, client)


def _untraced(items: Sequence[T]) -> tuple[T, ...]:
    for item in items:
        item.ClearField("trace_id")
    return tuple(items)
