"""Signals and spots in and out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, insert, select

from skewline.storage.listing import matching, within
from skewline.storage.signal.tables import ACTIONS, SIGNALS, SPOTS
from skewline.v1 import corporate_action_pb2, signal_pb2


@dataclass(frozen=True, slots=True)
class SignalQuery:
    """Which signals: empty or 0 means all; `from_ns` is inclusive, `to_ns` exclusive."""

    underlying: str = ""
    strategy: int = 0
    min_confidence: float = 0.0
    from_ns: int = 0
    to_ns: int = 0


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal with what the engine remembers of it; `components` went into it and are not traded."""

    signal: signal_pb2.Signal
    theme: str
    until_ns: int
    components: Sequence[signal_pb2.Signal] = ()


def add_spot(connection: Connection, surface_id: str, underlying: str, time_ns: int, spot: float) -> None:
    """Store the spot of a surface. Raises IntegrityError if that surface was seen already."""
    connection.execute(
        insert(SPOTS),
        {"surface_id": surface_id, "underlying": underlying, "time_ns": time_ns, "spot": spot},
    )


def add(connection: Connection, signals: Sequence[StoredSignal]) -> None:
    """Store signals, in order, each with its components. Raises IntegrityError for one stored already."""
    number = connection.execute(select(func.coalesce(func.max(SIGNALS.c.number), 0))).scalar_one()
    rows = []
    for stored in signals:
        for signal in (stored.signal, *stored.components):
            number += 1
            part_of = "" if signal is stored.signal else stored.signal.signal_id
            rows.append(
                {
                    "signal_id": signal.signal_id,
                    "number": number,
                    "surface_id": signal.surface_id,
                    "snapshot_id": signal.snapshot_id,
                    "underlying": signal.underlying,
                    "time_ns": signal.time_ns,
                    "strategy": signal.strategy,
                    "confidence": signal.confidence,
                    "theme": stored.theme,
                    "until_ns": stored.until_ns,
                    "part_of": part_of,
                    "signal": signal,
                }
            )
    if rows:
        connection.execute(insert(SIGNALS), rows)


def save_actions(connection: Connection, actions: Sequence[corporate_action_pb2.CorporateAction]) -> None:
    """Store for which corporate actions spots and open ideas were adjusted; those known already stay."""
    for action in actions:
        known = select(ACTIONS.c.action_id).where(ACTIONS.c.action_id == action.action_id)
        if connection.execute(known).scalar_one_or_none() is None:
            connection.execute(
                insert(ACTIONS),
                {"action_id": action.action_id, "effective_ns": action.effective_ns, "message": action},
            )


def actions(connection: Connection) -> list[corporate_action_pb2.CorporateAction]:
    """Corporate actions for which spots and open ideas were adjusted, in the order of their effect."""
    order = (ACTIONS.c.effective_ns, ACTIONS.c.action_id)
    return list(connection.execute(select(ACTIONS.c.message).order_by(*order)).scalars())


def signal(connection: Connection, signal_id: str) -> signal_pb2.Signal | None:
    """The signal of this id, also one that went into an aggregate; None if it is not stored."""
    return connection.execute(
        select(SIGNALS.c.signal).where(SIGNALS.c.signal_id == signal_id)
    ).scalar_one_or_none()


def components(connection: Connection, signal_id: str) -> list[signal_pb2.Signal]:
    """The signals that were combined in this one, in their order; none unless it is an aggregate."""
    rows = connection.execute(
        select(SIGNALS.c.signal).where(SIGNALS.c.part_of == signal_id).order_by(SIGNALS.c.number)
    )
    return list(rows.scalars())


def signals(
    connection: Connection, query: SignalQuery, after: int, limit: int
) -> list[tuple[int, signal_pb2.Signal]]:
    """(number, signal), newest first, without components; `after` is the number of the page before, or 0."""
    wanted = [
        SIGNALS.c.part_of == "",
        *matching({SIGNALS.c.underlying: query.underlying, SIGNALS.c.strategy: query.strategy}),
        *within(SIGNALS.c.time_ns, query.from_ns, query.to_ns),
    ]
    if query.min_confidence:
        wanted.append(SIGNALS.c.confidence >= query.min_confidence)
    if after:
        wanted.append(SIGNALS.c.number < after)
    rows = connection.execute(
        select(SIGNALS.c.number, SIGNALS.c.signal)
        .where(*wanted)
        .order_by(SIGNALS.c.number.desc())
        .limit(limit)
    )
    return [(number, found) for number, found in rows]


def newest_spots(connection: Connection, most: int) -> list[tuple[str, int, float]]:
    """(underlying, time_ns, spot), oldest first: the newest `most` of each underlying."""
    aged = select(
        SPOTS.c.number,
        func.row_number().over(partition_by=SPOTS.c.underlying, order_by=SPOTS.c.number.desc()).label("age"),
    ).subquery()
    rows = connection.execute(
        select(SPOTS.c.underlying, SPOTS.c.time_ns, SPOTS.c.spot)
        .where(SPOTS.c.number.in_(select(aged.c.number).where(aged.c.age <= most)))
        .order_by(SPOTS.c.number)
    )
    return [(underlying, time_ns, spot) for underlying, time_ns, spot in rows]


def open_signals(connection: Connection) -> list[StoredSignal]:
    """Signals whose horizon reaches beyond the newest spot of their underlying, in their order."""
    newest = (
        select(SPOTS.c.underlying, func.max(SPOTS.c.number).label("number"))
        .group_by(SPOTS.c.underlying)
        .subquery()
    )
    now = (
        select(SPOTS.c.underlying, SPOTS.c.time_ns)
        .join(newest, and_(SPOTS.c.underlying == newest.c.underlying, SPOTS.c.number == newest.c.number))
        .subquery()
    )
    rows = connection.execute(
        select(SIGNALS.c.signal, SIGNALS.c.theme, SIGNALS.c.until_ns)
        .join(now, SIGNALS.c.underlying == now.c.underlying)
        .where(SIGNALS.c.part_of == "", SIGNALS.c.until_ns > now.c.time_ns)
        .order_by(SIGNALS.c.number)
    )
    return [StoredSignal(found, theme, until_ns) for found, theme, until_ns in rows]
