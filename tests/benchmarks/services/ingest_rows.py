"""Quotes a second through the publish stream: validated, stored, published on JetStream and answered."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack

import real_flow
from market_server import MarketServer, market_server, postgres_database
from processor_time import processor_seconds
from real_chains import NO_GOOG, NO_SPX
from table_row import Row, Rows, Unit

from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

FLOOR, GOAL = 300_000.0, 600_000.0
_WINDOW = 8
_SPX_CHAINS, _GOOG_CHAINS = 100, 200
_ROUNDS = 4
_PROCESSORS = 2


def rows() -> Rows:
    """SPX and GOOG, on SQLite and PostgreSQL."""
    yield from _rows_of("SPX days, 13,500 quotes a chain", NO_SPX, real_flow.spx, _SPX_CHAINS)
    yield from _rows_of("GOOG minutes, 2,100 quotes a chain", NO_GOOG, real_flow.goog, _GOOG_CHAINS)


def _rows_of(name: str, absent: str, flow: Callable[[int], list[chain_pb2.OptionChain]], count: int) -> Rows:
    if absent:
        yield Row(f"ingest {name}", reason=absent, floor=FLOOR, unit=Unit.RATE)
        return
    chains = flow(count)
    for database in ("SQLite", "PostgreSQL"):
        yield asyncio.run(_row(f"ingest {name}, {database}", chains, database))


async def _row(work: str, chains: Sequence[chain_pb2.OptionChain], database: str) -> Row:
    size = len(chains) // (_ROUNDS + 1)
    rounds = [chains[start : start + size] for start in range(size, len(chains) - size + 1, size)]
    rates, answers = [], []
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database()) if database == "PostgreSQL" else None
        async with market_server(url) as server:
            await publish(server, chains[:size])  # the instrument master's first day, and what warms up
            before = processor_seconds()
            for each in rounds:
                start = time.perf_counter()
                answers += await publish(server, each)
                rates.append(real_flow.quotes(each) / (time.perf_counter() - start))
            used = processor_seconds() - before
    accepted = sum(answer.status == chain_pb2.CHAIN_STATUS_ACCEPTED for answer in answers)
    possible = _PROCESSORS * sum(real_flow.quotes(each) for each in rounds) / used
    processors = f"{1e3 * used / len(answers):.1f} ms of processors a chain, {possible:,.0f}/s on two"
    return Row(
        work,
        max(rates),
        f"{accepted} of {len(answers)} accepted; {processors}",
        exact=accepted == len(answers),
        floor=FLOOR,
        goal=GOAL,
        threads=_PROCESSORS,
        unit=Unit.RATE,
        spread=max(rates) / statistics.median(rates) - 1.0,
    )


async def publish(
    server: MarketServer, chains: Sequence[chain_pb2.OptionChain]
) -> list[chain_pb2.ChainSummary]:
    """Publish `chains` on one stream with a window of unanswered ones; what became of each."""
    room = asyncio.Semaphore(_WINDOW)

    async def requests() -> AsyncIterator[pb.PublishChainsRequest]:
        for number, chain in enumerate(chains):
            await room.acquire()
            yield pb.PublishChainsRequest(request_id=str(number), chain=chain)

    answers = []
    async with server.channel() as channel:
        async for answer in MarketDataServiceStub(channel).PublishChains(requests()):
            room.release()
            answers.append(answer.summary)
    return answers
