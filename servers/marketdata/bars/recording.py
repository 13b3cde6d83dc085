"""Bars taken in: from clients, and from live feeds.

No event tells of them. The event log is what the streams of chains resume from, and bars come by the
thousand: they would push the chains out of it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata.validation.bar_schema import check_bar, check_heading, check_series
from skewline.servers.runtime.errors import FieldViolation
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.validation import Validation
from skewline.storage import inbox
from skewline.storage.marketdata import bars
from skewline.storage.marketdata.bars import BarRow, Saved
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

_LONGEST: Final = 128


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a feed's bars: how many were stored, and what is wrong with the others."""

    stored: int
    faults: tuple[FieldViolation, ...]


class BarRecorder:
    """Checks bars and stores them."""

    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    async def answer(self, request: pb.RecordBarsRequest) -> pb.RecordBarsResponse:
        """All of a client's bars or, if one is wrong, none. Raises InvalidArgument."""
        validation = Validation()
        if validation.required("request_id", request.request_id):
            validation.max_length("request_id", request.request_id, _LONGEST)
        if validation.present("series", request.HasField("series")):
            check_series(request.series, validation.within("series"))
        validation.raise_if_any()
        rows = _rows(request.series, request.series.bars)
        identity = _identity(request)

        def work(connection: Connection) -> Saved:
            if inbox.seen(connection, identity):
                return Saved(0, 0, len(rows))
            inbox.record(connection, identity, time.time_ns())
            return bars.save(connection, rows)

        saved = await self._store(work)
        return pb.RecordBarsResponse(
            request_id=request.request_id,
            added=saved.added,
            replaced=saved.replaced,
            unchanged=saved.unchanged,
        )

    async def take(self, series: chain_pb2.BarSeries) -> Recorded:
        """Store those bars of a live feed that can be prices; of one start the last.

        It waits while the database is away.
        """
        heading = Validation()
        check_heading(series, heading)
        if heading.violations:
            return Recorded(0, heading.violations)
        sound: dict[int, chain_pb2.Bar] = {}
        faults: list[FieldViolation] = []
        for place, bar in enumerate(series.bars):
            validation = Validation(f"bars[{place}].")
            check_bar(bar, validation)
            faults += validation.violations
            if not validation.violations:
                sound[bar.start_ns] = bar
        rows = _rows(series, list(sound.values()))
        await self._processor.outlast(lambda: self._store(lambda connection: bars.save(connection, rows)))
        return Recorded(len(rows), tuple(faults))

    async def _store(self, save: Callable[[Connection], Saved]) -> Saved:
        async with self._processor.turn:
            return await self._processor.transact(lambda connection: (save(connection), ()))


def _identity(request: pb.RecordBarsRequest) -> str:
    # With its content: one id for two requests must not lose the second.
    digest = hashlib.sha256(request.series.SerializeToString(deterministic=True)).hexdigest()
    return derive_id("bars", request.request_id, digest)


def _rows(series: chain_pb2.BarSeries, listed: Sequence[chain_pb2.Bar]) -> list[BarRow]:
    return [
        BarRow(
            underlying=series.underlying,
            interval_ns=series.interval_ns,
            start_ns=bar.start_ns,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            source=series.source,
            provenance=series.provenance,
        )
        for bar in listed
    ]
