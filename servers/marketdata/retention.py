"""What is deleted for its age: asked for, or every hour by the service itself."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata.chain_store import ChainStore
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.storage.marketdata import order_books, retention, trades
from skewline.storage.marketdata.retention import Expired
from skewline.v1 import chain_pb2
from skewline.v1 import market_data_service_pb2 as pb

_log = logging.getLogger(__name__)

_DAY_NS: Final = 86_400_000_000_000
_EVERY_S: Final = 3600.0
# A transaction each, so that a snapshot that comes meanwhile does not wait for thousands.
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class _Kind:
    """Records that are no chains: how long they are kept, and how those too old are counted and deleted."""

    name: str
    keep_days: float
    expired: Callable[[Connection, int], Expired]
    delete: Callable[[Connection, int, int], int]


class Retention:
    """Keeps what is stored for as long as the settings say, by the data's own time."""

    def __init__(self, processor: Processor, store: ChainStore, settings: MarketDataSettings) -> None:
        self._processor = processor
        self._store = store
        self._days = {
            chain_pb2.CHAIN_STATUS_ACCEPTED: settings.keep_accepted_days,
            chain_pb2.CHAIN_STATUS_REJECTED: settings.keep_rejected_days,
        }
        kinds = (
            _Kind(
                "order books",
                settings.keep_order_books_days,
                order_books.expired,
                order_books.delete_expired,
            ),
            _Kind("trades", settings.keep_trades_days, trades.expired, trades.delete_expired),
        )
        self._kinds = [kind for kind in kinds if kind.keep_days]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Apply it now and then, if anything is to go at all."""
        if any(self._days.values()) or self._kinds:
            self._task = asyncio.create_task(self._now_and_then(), name="retention")

    async def stop(self) -> None:
        """Apply it no more."""
        if self._task is not None:
            await end(self._task)

    async def apply(self, *, dry_run: bool = False) -> pb.ApplyRetentionResponse:
        """Delete what is too old, or with `dry_run` only tell: a report for whatever has an age."""
        return pb.ApplyRetentionResponse(
            expired=await self._chains(dry_run), records=await self._records(dry_run)
        )

    async def _chains(self, dry_run: bool) -> list[pb.ExpiredChains]:
        reports = []
        for status, days in self._days.items():
            if not days:
                continue
            age_ns = round(days * _DAY_NS)
            query = functools.partial(retention.expired, status=status, age_ns=age_ns)
            found = await self._processor.read(query)
            report = pb.ExpiredChains(
                status=status,
                keep_days=days,
                snapshots=found.count,
                oldest_ns=found.oldest_ns,
                newest_ns=found.newest_ns,
            )
            if status == chain_pb2.CHAIN_STATUS_REJECTED:
                held = functools.partial(retention.quarantined, age_ns=age_ns)
                report.quarantined = await self._processor.read(held)
                if report.quarantined and not dry_run:
                    report.quarantined = await self._delete_quarantined(age_ns)
            if found.count and not dry_run:
                report.snapshots = await self._delete(status, age_ns)
            reports.append(report)
        if not dry_run and any(report.snapshots or report.quarantined for report in reports):
            await self._processor.write(retention.give_back)
        return reports

    async def _records(self, dry_run: bool) -> list[pb.ExpiredRecords]:
        reports = []
        for kind in self._kinds:
            age_ns = round(kind.keep_days * _DAY_NS)
            found = await self._processor.read(functools.partial(_expired, kind, age_ns))
            report = pb.ExpiredRecords(
                kind=kind.name,
                keep_days=kind.keep_days,
                records=found.count,
                oldest_ns=found.oldest_ns,
                newest_ns=found.newest_ns,
            )
            if found.count and not dry_run:
                report.records = await self._delete_records(kind, age_ns)
            reports.append(report)
        return reports

    async def _delete_records(self, kind: _Kind, age_ns: int) -> int:
        def work(connection: Connection) -> tuple[int, tuple[Outgoing, ...]]:
            return kind.delete(connection, age_ns, _AT_ONCE), ()

        deleted = 0
        while True:
            async with self._processor.exclusive():
                gone = await self._processor.transact(work)
            deleted += gone
            if gone < _AT_ONCE:
                return deleted

    async def _delete(self, status: int, age_ns: int) -> int:
        def work(connection: Connection) -> tuple[Sequence[str], tuple[Outgoing, ...]]:
            return retention.delete_expired(connection, status, age_ns, _AT_ONCE), ()

        deleted = 0
        while True:
            async with self._processor.exclusive():
                gone = await self._processor.transact(work)
            await self._store.forget(gone)
            deleted += len(gone)
            if len(gone) < _AT_ONCE:
                return deleted

    async def _delete_quarantined(self, age_ns: int) -> int:
        def work(connection: Connection) -> tuple[int, tuple[Outgoing, ...]]:
            return retention.delete_quarantined(connection, age_ns, _AT_ONCE), ()

        deleted = 0
        while True:
            async with self._processor.exclusive():
                gone = await self._processor.transact(work)
            deleted += gone
            if gone < _AT_ONCE:
                return deleted

    async def _now_and_then(self) -> None:
        while True:
            try:
                went = await self._processor.outlast(self.apply)
            except Exception:  # noqa: BLE001 - it must not end, or all would be kept from then on
                _log.exception("what is past its age was not deleted, again in %g s", _EVERY_S)
                went = pb.ApplyRetentionResponse()
            for report in went.expired:
                if report.snapshots or report.quarantined:
                    _log.info(
                        "deleted %d %s snapshots and %d entries of the quarantine older than %g days",
                        report.snapshots,
                        chain_pb2.ChainStatus.Name(report.status),
                        report.quarantined,
                        report.keep_days,
                    )
            for records in went.records:
                if records.records:
                    _log.info(
                        "deleted %d %s older than %g days", records.records, records.kind, records.keep_days
                    )
            await asyncio.sleep(_EVERY_S)


def _expired(kind: _Kind, age_ns: int, connection: Connection) -> Expired:
    return kind.expired(connection, age_ns)
