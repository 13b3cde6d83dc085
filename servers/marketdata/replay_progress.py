"""How far a replay is: each step makes a new row, written in the transaction of what caused it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from skewline.servers.marketdata.intake import Taken
from skewline.storage.marketdata.replays import ReplayRow
from skewline.v1 import chain_pb2, common_pb2, market_data_service_pb2

ALREADY_STORED = "ALREADY_STORED"
RUNNING = market_data_service_pb2.REPLAY_STATUS_RUNNING
_NANOS_A_SECOND = 1e9


def after_feeding(row: ReplayRow, quotes: int, taken: Taken, now_ns: int) -> ReplayRow:
    """The next snapshot was taken in: awaited if it was accepted now, complete otherwise."""
    summary = taken.summary
    accepted = summary.status == chain_pb2.CHAIN_STATUS_ACCEPTED
    state = _copy(row, now_ns)
    state.accepted += accepted
    state.rejected += not accepted
    state.quotes_seen += quotes
    state.quotes_rejected += quotes - summary.quotes if accepted else quotes
    reasons = list(summary.rejected) if accepted else [_one(summary.reason)]
    state_reasons = _merged(state.reasons, reasons if taken.fresh else [*reasons, _one(ALREADY_STORED)])
    del state.reasons[:]
    state.reasons.extend(state_reasons)
    fed = replace(row, state=state, next_index=row.next_index + 1)
    if accepted and taken.fresh:
        return replace(fed, in_flight=summary.snapshot_id)
    return _completed(fed, summary.snapshot_id, summary.underlying, summary.time_ns)


def after_watermark(
    row: ReplayRow,
    underlying: str,
    time_ns: int,
    latencies: Iterable[market_data_service_pb2.HopLatency],
    now_ns: int,
) -> ReplayRow:
    """All consequences of the snapshot in flight are complete."""
    state = _copy(row, now_ns)
    del state.latencies[:]
    state.latencies.extend(latencies)
    return _completed(replace(row, state=state), row.in_flight, underlying, time_ns)


def ended(
    row: ReplayRow, status: market_data_service_pb2.ReplayStatus.ValueType, error: str, now_ns: int
) -> ReplayRow:
    """It is over."""
    state = _copy(row, now_ns)
    state.status = status
    state.error = error
    return replace(row, state=state)


def _completed(row: ReplayRow, snapshot_id: str, underlying: str, time_ns: int) -> ReplayRow:
    row.state.fed += 1
    row.state.snapshot_id = snapshot_id
    row.state.underlying = underlying
    row.state.data_time_ns = time_ns
    return replace(row, in_flight="")


def _copy(row: ReplayRow, now_ns: int) -> market_data_service_pb2.Replay:
    copy = market_data_service_pb2.Replay()
    copy.CopyFrom(row.state)
    copy.elapsed_seconds = (now_ns - row.started_ns) / _NANOS_A_SECOND
    return copy


def _one(reason: str) -> common_pb2.ReasonCount:
    return common_pb2.ReasonCount(reason=reason, count=1)


def _merged(
    before: Iterable[common_pb2.ReasonCount], more: Iterable[common_pb2.ReasonCount]
) -> list[common_pb2.ReasonCount]:
    counts: dict[str, int] = {}
    for item in [*before, *more]:
        counts[item.reason] = counts.get(item.reason, 0) + item.count
    return [common_pb2.ReasonCount(reason=reason, count=count) for reason, count in sorted(counts.items())]
