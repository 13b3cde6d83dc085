"""Chains that feed handlers and live feeds bring: taken in as they come, several in one transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from sqlalchemy import Connection

from skewline.servers.marketdata.intake import Intake, Taken
from skewline.servers.marketdata.quarantine import Quarantine, RefusedMessage
from skewline.servers.marketdata.replay import Stored, snapshot_attributes
from skewline.servers.marketdata.validation.schema import schema_violations
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.interceptor import Unreadable
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.telemetry import traceparent
from skewline.servers.runtime.validation import Validation
from skewline.storage.errors import StorageError
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

_LONGEST: Final = 128
# What one transaction holds at most, and what is read ahead of it: more saves nothing.
_MOST_CHAINS: Final = 32
_MOST_QUOTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Arrival:
    """A chain as it came."""

    request_id: str
    chain: chain_pb2.OptionChain
    received_ns: int
    """Wall clock, ns since the epoch."""


class ChainPublisher:
    """Judges, stores and announces what comes on a stream, in its order, and answers each."""

    def __init__(
        self,
        processor: Processor,
        tracer: trace.Tracer,
        intake: Intake,
        stored: Stored,
        quarantine: Quarantine,
    ) -> None:
        self._processor = processor
        self._tracer = tracer
        self._intake = intake
        self._stored = stored
        self._quarantine = quarantine

    async def answers(
        self, requests: AsyncIterator[pb.PublishChainsRequest]
    ) -> AsyncIterator[pb.PublishChainsResponse]:
        """An answer for each request. Raises InvalidArgument at one that is not fit, after those before it.

        Whatever waits is taken in together, so that a busy stream costs a commit and an acknowledgement of
        the bus for several chains, and a quiet one waits for nobody.
        """
        reading = _ReadAhead(requests)
        async with aclosing(reading.batches()) as batches:
            async for batch in batches:
                for arrival, taken in zip(batch, await self._take(batch), strict=True):
                    yield pb.PublishChainsResponse(request_id=arrival.request_id, summary=taken.summary)
        if reading.fault is not None:
            if (refused := _refused(reading.fault, reading.at_fault)) is not None:
                await self._quarantine.hold(refused)
            raise reading.fault

    async def take(self, chain: chain_pb2.OptionChain, received_ns: int) -> chain_pb2.ChainSummary:
        """What became of a chain that is here to stay: it waits while the database is away."""
        arrival = Arrival("", chain, received_ns)
        [taken] = await self._processor.outlast(lambda: self._take_together([arrival]))
        return taken.summary

    async def _take(self, batch: Sequence[Arrival]) -> list[Taken]:
        try:
            return await self._take_together(batch)
        except StorageError:
            raise
        except Exception:
            if len(batch) == 1:
                raise
        # One of them is at fault, and the others should not pay for it.
        return [taken for arrival in batch for taken in await self._take_together([arrival])]

    async def _take_together(self, batch: Sequence[Arrival]) -> list[Taken]:
        spans = [
            self._tracer.start_span("marketdata.snapshot", attributes=snapshot_attributes(arrival.chain))
            for arrival in batch
        ]
        traces = [traceparent(trace.set_span_in_context(span)) for span in spans]

        def work(connection: Connection) -> tuple[list[Taken], list[Outgoing]]:
            taken = [
                self._intake.take(connection, arrival.chain, arrival.received_ns, parent)
                for arrival, parent in zip(batch, traces, strict=True)
            ]
            return taken, [outgoing for one in taken for outgoing in one.outgoing]

        try:
            async with self._processor.exclusive():
                taken = await self._processor.transact(work)
            for span, one in zip(spans, taken, strict=True):
                span.set_attribute("skewline.snapshot_id", one.summary.snapshot_id)
                span.set_attribute("skewline.reason", one.summary.reason)
        finally:
            for span in spans:
                span.end()
        for one in taken:
            await self._stored(one)
        return taken


def _arrival(request: pb.PublishChainsRequest) -> Arrival:
    received_ns = time.time_ns()
    validation = Validation()
    if validation.required("request_id", request.request_id):
        validation.max_length("request_id", request.request_id, _LONGEST)
    validation.present("chain", request.HasField("chain"))
    violations = (*validation.violations, *schema_violations(request.chain, "chain."))
    if violations:
        raise InvalidArgument(violations)
    return Arrival(request.request_id, request.chain, received_ns)


def _refused(fault: Exception, request: pb.PublishChainsRequest | None) -> RefusedMessage | None:
    """What of a stream's last message is for the quarantine, if it was that which ended the stream."""
    if isinstance(fault, Unreadable):
        return RefusedMessage("UNREADABLE", str(fault), time.time_ns(), fault.raw)
    if isinstance(fault, InvalidArgument) and request is not None and request.HasField("chain"):
        raw = request.chain.SerializeToString(deterministic=True)
        return RefusedMessage("SCHEMA", str(fault), time.time_ns(), raw, request.chain)
    return None


class _ReadAhead:
    """Reads a stream of requests while those before are taken in, up to a bound.

    What ended the reading is its `fault`, and the request that it came from `at_fault`.
    """

    def __init__(self, requests: AsyncIterator[pb.PublishChainsRequest]) -> None:
        self._requests = requests
        self._waiting: list[Arrival] = []
        self._quotes = 0
        self._some, self._room = asyncio.Event(), asyncio.Event()
        self._over = False
        self.fault: Exception | None = None
        self.at_fault: pb.PublishChainsRequest | None = None

    async def batches(self) -> AsyncGenerator[list[Arrival], None]:
        """All that waits, at least one, until the stream or the reading ends."""
        reading = asyncio.create_task(self._read(), name="read published chains")
        try:
            while True:
                while not (self._waiting or self._over):
                    self._some.clear()
                    await self._some.wait()
                if not self._waiting:
                    break
                batch, self._waiting, self._quotes = self._waiting, [], 0
                self._room.set()
                yield batch
        finally:
            await end(reading)

    async def _read(self) -> None:
        try:
            async for request in self._requests:
                self.at_fault = request
                arrival = _arrival(request)
                self.at_fault = None
                self._waiting.append(arrival)
                self._quotes += len(arrival.chain.strike)
                self._some.set()
                while len(self._waiting) >= _MOST_CHAINS or self._quotes >= _MOST_QUOTES:
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:  # noqa: BLE001 - raised when the batches were taken
            self.fault = error
        finally:
            self._over = True
            self._some.set()
