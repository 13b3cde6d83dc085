"""The local span store: one SQLite file a service, written by an exporter, merged by a reader."""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from skewline.servers.runtime.logs import logger
from skewline.storage.sqlite import switch_to_wal

SpanStatus: TypeAlias = Literal["unset", "ok", "error"]
AttributeValue: TypeAlias = (
    str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
)

_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS spans (
    position INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    service TEXT NOT NULL,
    pid INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    links TEXT NOT NULL,
    status TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS spans_by_trace ON spans (trace_id);
COMMIT;
"""
_COLUMNS: Final = (
    "trace_id, span_id, parent_id, name, service, pid, start_ns, end_ns, attributes, links, status"
)
_INSERT: Final = f"INSERT INTO spans ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_SELECT: Final = f"SELECT {_COLUMNS} FROM spans WHERE trace_id = ?"
_TRIM: Final = "DELETE FROM spans WHERE position <= (SELECT max(position) FROM spans) - ?"
_BUSY_S: Final = 5.0

_Row: TypeAlias = tuple[str, str, str | None, str, str, int, int, int, str, str, str]


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span, perhaps of another trace, that caused this one besides its parent."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span as stored. Ids are lower-case hex, times ns since the epoch; a root has no parent."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    pid: int
    start_ns: int
    end_ns: int
    attributes: Mapping[str, AttributeValue]
    links: tuple[SpanLink, ...]
    status: SpanStatus


class SpanStoreExporter(SpanExporter):
    """Appends finished spans to a SQLite file and keeps the newest `retention` of them."""

    def __init__(self, path: Path, retention: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._retention = retention
        # The batch processor's thread writes, the thread that flushes or shuts down may as well.
        self._lock = threading.Lock()
        switch_to_wal(path)
        self._connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append `spans` in one transaction; a failure is logged and loses these spans only."""
        rows = [_row(span) for span in spans]
        try:
            with self._lock, self._connection:
                self._connection.executemany(_INSERT, rows)
                self._connection.execute(_TRIM, (self._retention,))
        except sqlite3.Error as error:
            logger(__name__).warning("spans_lost", count=len(rows), store=str(self._path), error=str(error))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back: each export is committed."""
        return True


def read_trace(home: Path, trace_id: str) -> list[StoredSpan]:
    """Every span of a trace that any service stored under `home`, by start time."""
    spans = [span for path in sorted((home / "traces").glob("*.sqlite")) for span in _read(path, trace_id)]
    return sorted(spans, key=lambda span: (span.start_ns, span.span_id))


def _read(path: Path, trace_id: str) -> list[StoredSpan]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)) as store:
        if store.execute("SELECT 1 FROM sqlite_master WHERE name = 'spans'").fetchone() is None:
            return []
        rows: list[_Row] = store.execute(_SELECT, (trace_id.lower(),)).fetchall()
    return [_span(row) for row in rows]


def _row(span: ReadableSpan) -> _Row:
    context = span.context
    resource = span.resource.attributes
    return (
        trace.format_trace_id(context.trace_id),
        trace.format_span_id(context.span_id),
        None if span.parent is None else trace.format_span_id(span.parent.span_id),
        span.name,
        str(resource["service.name"]),
        int(cast("int", resource["process.pid"])),
        span.start_time or 0,
        span.end_time or 0,
        json.dumps(dict(span.attributes or {}), default=str),
        json.dumps(
            [
                [trace.format_trace_id(link.context.trace_id), trace.format_span_id(link.context.span_id)]
                for link in span.links
            ]
        ),
        span.status.status_code.name.lower(),
    )


def _span(row: _Row) -> StoredSpan:
    trace_id, span_id, parent_id, name, service, pid, start_ns, end_ns, attributes, links, status = row
    return StoredSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        service=service,
        pid=pid,
        start_ns=start_ns,
        end_ns=end_ns,
        attributes=json.loads(attributes),
        links=tuple(SpanLink(*link) for link in json.loads(links)),
        status=cast("SpanStatus", status),
    )
