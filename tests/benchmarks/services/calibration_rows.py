"""Calibration through real processes, NATS and SQLite on loopback: from a chain's event to its surface's.

Wall time: on a machine that others use too the shortest tells what the code costs, the 99th percentile
little.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import real_flow
from calibration_processes import calibration_processes
from fitted_services import TRACEPARENT, settings_of
from market_data_folder import FOLDER
from processor_time import processor_seconds
from put_call_agreement import put_call_agreement
from real_chains import NO_GOOG, NO_SPX
from recorded_chains import accepted, events_of
from running_stack import running_stack
from table_row import NO_TARGET, Row, Rows, Target, Unit

from skewline.servers.calibration.service import build
from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.host import hosted
from skewline.servers.runtime.nats_server import NatsServer
from skewline.v1 import chain_pb2, event_pb2, market_data_service_pb2

_SPX_P50 = Target(100e-3, 40e-3)
_SPX_P99 = Target(200e-3, 80e-3)
_TWO_PROCESSES = Target(1.7, 1.9)
_REPLAY = Target(200.0, 600.0)
_MINUTE_S = 60.0
_GOOG_DAY = "2015-12-24"
# The first few also connect and fill caches.
_WARM_UP = 5
_DEADLINE_S = 240.0


def rows() -> Rows:
    """Latency of one chain at a time, throughput of two processes, and a day through all services."""
    if absent := NO_SPX or NO_GOOG:
        yield Row("chain to surface", reason=absent)
        return
    spx, goog = accepted(real_flow.spx(64)), accepted(real_flow.goog(84)[20:])
    yield from _latency(f"SPX chain of {_quotes(spx)} quotes → surface", spx, _SPX_P50, _SPX_P99)
    yield from _latency(f"GOOG minute chain of {_quotes(goog)} quotes → surface", goog)
    yield _event_loop(spx[:16])
    yield _two_processes(events_of(goog[:6], 24))
    yield asyncio.run(_replay())
    yield _agreement(goog)


def _quotes(chains: Sequence[chain_pb2.OptionChain]) -> str:
    return f"{max(len(chain.strike) for chain in chains):,}"


class Heard:
    """When each surface was heard, by its snapshot."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.news = asyncio.Condition()

    async def __call__(self, _delivery: Delivery) -> None:
        async with self.news:
            self.at.append(time.perf_counter())
            self.news.notify_all()

    async def count(self, wanted: int) -> None:
        """Wait until so many were heard."""
        async with asyncio.timeout(_DEADLINE_S), self.news:
            await self.news.wait_for(lambda: len(self.at) >= wanted)


async def _send(bus: Bus, event: event_pb2.Event) -> None:
    await bus.publish(
        f"market.chain.{event.underlying}",
        event.SerializeToString(),
        message_id=event.event_id,
        traceparent=TRACEPARENT,
    )


def _latency(
    work: str, chains: Sequence[chain_pb2.OptionChain], p50: Target = NO_TARGET, p99: Target = NO_TARGET
) -> Rows:
    events = events_of(chains, 1)

    async def measured() -> tuple[list[float], float]:
        with _home() as home:
            async with calibration_processes(home, 1) as stack, await Bus.connect(stack.nats_url, "b") as bus:
                heard, taken = Heard(), []
                await bus.tail("surface.>", heard, headers_only=True)
                before = 0.0
                for number, event in enumerate(events, start=1):
                    before = before if number > _WARM_UP else processor_seconds()
                    start = time.perf_counter()
                    await _send(bus, event)
                    await heard.count(number)
                    taken.append(heard.at[-1] - start)
                return taken[_WARM_UP - 1 :], processor_seconds() - before

    taken, used = asyncio.run(measured())
    processors = f"{used / len(taken) * 1e3:.0f} ms of processors a chain"
    said = f"with bus and storage, {len(taken)} chains; shortest {min(taken) * 1e3:.0f} ms; {processors}"
    for name, share, target in (("p50", 0.5, p50), ("p99", 0.99, p99)):
        yield Row(
            f"{work}, {name}",
            ours=float(np.quantile(taken, share)),
            accuracy=said,
            floor=target.floor,
            goal=target.goal,
        )


def _event_loop(chains: Sequence[chain_pb2.OptionChain]) -> Row:
    """How late the service's own event loop is while it fits whole SPX chains."""

    async def measured() -> list[float]:
        with _home() as home:
            async with NatsServer(home / "nats") as nats:
                settings = settings_of(home, nats.url, "calibration")
                async with (
                    hosted("calibration", settings, build),
                    await Bus.connect(nats.url, "b") as bus,
                ):
                    heard, late = Heard(), []
                    await bus.tail("surface.>", heard, headers_only=True)
                    events = events_of(chains, 1)
                    for event in events:
                        await _send(bus, event)

                    async def tick() -> None:
                        while True:
                            due = time.perf_counter() + 1e-3
                            await asyncio.sleep(1e-3)
                            late.append(time.perf_counter() - due)

                    ticking = asyncio.create_task(tick())
                    await heard.count(len(events))
                    ticking.cancel()
                    return late

    late = asyncio.run(measured())
    middle, worst = statistics.median(late) * 1e3, max(late) * 1e3
    said = f"of {len(late):,} ticks; in the middle {middle:.1f} ms, worst {worst:.0f} ms"
    return Row("event loop behind its clock during SPX fits, p99", float(np.quantile(late, 0.99)), said)


def _two_processes(events: list[event_pb2.Event]) -> Row:
    """Chains a second by two processes over those by one, each on one thread; all wait on the bus."""

    async def measured(processes: int) -> float:
        with _home() as home:
            async with (
                calibration_processes(home, processes, "calibration.threads=1") as stack,
                await Bus.connect(stack.nats_url, "b") as bus,
            ):
                heard = Heard()
                await bus.tail("surface.>", heard, headers_only=True)
                for event in events:
                    await _send(bus, event)
                await heard.count(len(events))
                # From the first surfaces on: all processes are at work by then.
                tenth = len(events) // 10
                return (len(events) - tenth) / (heard.at[-1] - heard.at[tenth])

    rates = {1: [0.0], 2: [0.0]}
    for _ in range(2):
        for processes in rates:
            rates[processes].append(asyncio.run(measured(processes)))
    one, two = max(rates[1]), max(rates[2])
    return Row(
        "GOOG chains of 24 underlyings, two processes of one thread over one",
        ours=two / one,
        accuracy=f"{two:.0f} chains/s over {one:.0f}; each fitted once, in order",
        peer="one process",
        floor=_TWO_PROCESSES.floor,
        goal=_TWO_PROCESSES.goal,
        threads=2,
        unit=Unit.GAIN,
    )


async def _replay() -> Row:
    """A GOOG day of minutes through all five services, in times real time."""
    with _home() as home:
        async with running_stack(home) as stack:
            start, last = 0.0, market_data_service_pb2.Replay()
            source, before = f"lean:{FOLDER / 'lean'}", processor_seconds()
            async for state in stack.replay(source, symbols=["GOOG"], from_date=_GOOG_DAY, to_date=_GOOG_DAY):
                start, last = start or time.perf_counter(), state
            lasted, used = time.perf_counter() - start, processor_seconds() - before
    hop = {each.hop: each for each in last.latencies}["calibration"]
    said = f"{hop.count} surfaces of {last.total} minutes in {lasted:.0f} s"
    said += f"; {used / last.total * 1e3:.0f} ms of processors a minute"
    return Row(
        "GOOG day of minutes through the five services, × real time",
        ours=last.total * _MINUTE_S / lasted,
        accuracy=said,
        exact=last.status == market_data_service_pb2.REPLAY_STATUS_COMPLETED and hop.count == last.total,
        floor=_REPLAY.floor,
        goal=_REPLAY.goal,
        threads=2,
        unit=Unit.GAIN,
    )


def _agreement(chains: Sequence[chain_pb2.OptionChain]) -> Row:
    found = [put_call_agreement(chain) for chain in chains]
    meets = np.concatenate([each.meets for each in found])
    apart = np.median(np.concatenate([each.difference for each in found]))
    return Row(
        "GOOG de-Americanised vols of put and call meet within their spreads",
        accuracy=f"{meets.mean():.2%} of {meets.size:,} pairs; mids {apart * 100:.2f} vol points apart",
        ours=float(meets.mean()),
        floor=0.99,
        goal=0.999,
        unit=Unit.GAIN,
    )


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="skewline-bench-") as folder:
        yield Path(folder)
