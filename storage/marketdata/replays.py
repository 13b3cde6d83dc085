"""Replays in and out of the tables: enough to go on after a crash without feeding anything twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from skewline.storage.marketdata.tables import HOP_SAMPLES, REPLAYS
from skewline.v1 import market_data_service_pb2


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One replay: `next_index` is fed next; `in_flight` is the snapshot awaited, "" if none is."""

    request: market_data_service_pb2.StartReplayRequest
    state: market_data_service_pb2.Replay
    started_ns: int
    next_index: int = 0
    in_flight: str = ""

    @property
    def replay_id(self) -> str:
        """Its id."""
        return self.state.replay_id


def add(connection: Connection, row: ReplayRow) -> None:
    """Enter a new replay. Raises IntegrityError if its request_id was used before."""
    connection.execute(
        insert(REPLAYS),
        {
            "replay_id": row.replay_id,
            "request_id": row.request.request_id,
            "request": row.request,
            **_changing(row),
        },
    )


def save(connection: Connection, row: ReplayRow) -> None:
    """Write how far a replay is."""
    connection.execute(update(REPLAYS).where(REPLAYS.c.replay_id == row.replay_id).values(**_changing(row)))


def replay(connection: Connection, replay_id: str) -> ReplayRow | None:
    """One replay, None if there is none."""
    found = _select(connection, replay_id=replay_id)
    return found[0] if found else None


def unfinished(connection: Connection) -> list[ReplayRow]:
    """Replays that run, oldest first."""
    return _select(connection, status=market_data_service_pb2.REPLAY_STATUS_RUNNING)


def add_samples(connection: Connection, replay_id: str, snapshot_id: str, hops: Mapping[str, int]) -> None:
    """Note how long each hop took for a snapshot, nanoseconds."""
    rows = [
        {"replay_id": replay_id, "snapshot_id": snapshot_id, "hop": hop, "nanoseconds": nanoseconds}
        for hop, nanoseconds in hops.items()
    ]
    if rows:
        connection.execute(insert(HOP_SAMPLES), rows)


def samples(connection: Connection, replay_id: str) -> dict[str, list[int]]:
    """Nanoseconds of each hop over the snapshots of a replay, ascending."""
    rows = connection.execute(
        select(HOP_SAMPLES.c.hop, HOP_SAMPLES.c.nanoseconds)
        .where(HOP_SAMPLES.c.replay_id == replay_id)
        .order_by(HOP_SAMPLES.c.hop, HOP_SAMPLES.c.nanoseconds)
    )
    by_hop: dict[str, list[int]] = {}
    for hop, nanoseconds in rows:
        by_hop.setdefault(hop, []).append(nanoseconds)
    return by_hop


def _changing(row: ReplayRow) -> dict[str, object]:
    return {
        "status": row.state.status,
        "started_ns": row.started_ns,
        "next_index": row.next_index,
        "in_flight": row.in_flight,
        "state": row.state,
    }


def _select(connection: Connection, **wanted: object) -> list[ReplayRow]:
    rows = connection.execute(
        select(
            REPLAYS.c.request,
            REPLAYS.c.state,
            REPLAYS.c.started_ns,
            REPLAYS.c.next_index,
            REPLAYS.c.in_flight,
        )
        .where(*(REPLAYS.c[name] == value for name, value in wanted.items()))
        .order_by(REPLAYS.c.started_ns)
    )
    return [ReplayRow(*row) for row in rows]
