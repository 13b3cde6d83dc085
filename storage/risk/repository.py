"""The risk service's tables, written and restored: each function runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from skewline.storage.risk.rows import StoredAccount, StoredAnswer, StoredOption, StoredPosition
from skewline.storage.risk.tables import (
    ACCOUNT,
    ACTIONS,
    DECISIONS,
    LIMITS,
    OPTIONS,
    PORTFOLIOS,
    POSITIONS,
    REQUESTS,
    RESERVATIONS,
    STATES,
    SURFACES,
    VALUATIONS,
)
from skewline.v1 import corporate_action_pb2, risk_pb2, risk_service_pb2, surface_pb2

_ACCOUNT_ID: Final = 1


def add_surface(connection: Connection, surface: surface_pb2.VolSurface) -> None:
    """Store a surface. Raises IntegrityError if its snapshot has one."""
    connection.execute(
        insert(SURFACES),
        {
            "snapshot_id": surface.snapshot_id,
            "underlying": surface.underlying,
            "time_ns": surface.time_ns,
            "surface": surface,
        },
    )


def surface(connection: Connection, snapshot_id: str) -> surface_pb2.VolSurface | None:
    """The surface of a snapshot; None if it is not there (any more)."""
    return connection.execute(
        select(SURFACES.c.surface).where(SURFACES.c.snapshot_id == snapshot_id)
    ).scalar_one_or_none()


def has_surface(connection: Connection, snapshot_id: str) -> bool:
    """Whether the surface of a snapshot is stored."""
    found = connection.execute(select(SURFACES.c.number).where(SURFACES.c.snapshot_id == snapshot_id))
    return found.scalar_one_or_none() is not None


def recent_surfaces(
    connection: Connection, each: int, snapshot_ids: Sequence[str]
) -> list[surface_pb2.VolSurface]:
    """The newest `each` surfaces of every underlying and those of `snapshot_ids`, in the order of arrival."""
    place = func.row_number().over(partition_by=SURFACES.c.underlying, order_by=SURFACES.c.number.desc())
    ranked = select(SURFACES.c.number, SURFACES.c.snapshot_id, place.label("place")).subquery()
    wanted = select(ranked.c.number).where((ranked.c.place <= each) | ranked.c.snapshot_id.in_(snapshot_ids))
    return list(
        connection.execute(
            select(SURFACES.c.surface).where(SURFACES.c.number.in_(wanted)).order_by(SURFACES.c.number)
        ).scalars()
    )


def forget_surfaces(connection: Connection, underlying: str, before_ns: int) -> None:
    """Delete surfaces of an underlying older than the one that its positions are valued on."""
    connection.execute(
        delete(SURFACES).where(SURFACES.c.underlying == underlying, SURFACES.c.time_ns < before_ns)
    )


def save_positions(connection: Connection, positions: Sequence[StoredPosition]) -> None:
    """Store positions as they are now, new or known."""
    if not positions:
        return
    ids = [position.instrument_id for position in positions]
    connection.execute(delete(POSITIONS).where(POSITIONS.c.instrument_id.in_(ids)))
    connection.execute(insert(POSITIONS), [asdict(position) for position in positions])


def positions(connection: Connection) -> list[StoredPosition]:
    """Every position, by instrument."""
    rows = connection.execute(select(POSITIONS).order_by(POSITIONS.c.instrument_id))
    return [StoredPosition(**row._mapping) for row in rows]


def save_actions(connection: Connection, actions: Sequence[corporate_action_pb2.CorporateAction]) -> int:
    """Store which corporate actions positions were adjusted for; how many of them are new."""
    if not actions:
        return 0
    known = set(connection.execute(select(ACTIONS.c.action_id)).scalars())
    rows = [
        {"action_id": action.action_id, "effective_ns": action.effective_ns, "message": action}
        for action in actions
        if action.action_id not in known
    ]
    if rows:
        connection.execute(insert(ACTIONS), rows)
    return len(rows)


def actions(connection: Connection) -> list[corporate_action_pb2.CorporateAction]:
    """Corporate actions that positions were adjusted for, in the order of their effect."""
    order = (ACTIONS.c.effective_ns, ACTIONS.c.action_id)
    return list(connection.execute(select(ACTIONS.c.message).order_by(*order)).scalars())


def save_options(connection: Connection, options: Sequence[StoredOption]) -> None:
    """Store what exchange-native ids mean, new or known."""
    if not options:
        return
    ids = [option.instrument_id for option in options]
    connection.execute(delete(OPTIONS).where(OPTIONS.c.instrument_id.in_(ids)))
    connection.execute(insert(OPTIONS), [asdict(option) for option in options])


def options(connection: Connection) -> list[StoredOption]:
    """What exchange-native ids mean, by id."""
    rows = connection.execute(select(OPTIONS).order_by(OPTIONS.c.instrument_id))
    return [StoredOption(**row._mapping) for row in rows]


def save_reservations(connection: Connection, intents: Sequence[risk_pb2.OrderIntent]) -> None:
    """Put these reservations, in order, in place of all others."""
    connection.execute(delete(RESERVATIONS))
    if intents:
        connection.execute(
            insert(RESERVATIONS),
            [
                {"order_id": intent.intent_id, "number": number, "intent": intent}
                for number, intent in enumerate(intents)
            ],
        )


def reservations(connection: Connection) -> list[risk_pb2.OrderIntent]:
    """Reservations, in order."""
    return list(connection.execute(select(RESERVATIONS.c.intent).order_by(RESERVATIONS.c.number)).scalars())


def save_account(connection: Connection, account: StoredAccount) -> None:
    """Store cash and peak equity."""
    connection.execute(delete(ACCOUNT))
    connection.execute(insert(ACCOUNT), {"account_id": _ACCOUNT_ID, **asdict(account)})


def account(connection: Connection) -> StoredAccount | None:
    """Cash and peak equity; None before the first batch."""
    row = connection.execute(select(ACCOUNT.c.cash, ACCOUNT.c.peak_equity)).one_or_none()
    return None if row is None else StoredAccount(row.cash, row.peak_equity)


def save_valuations(connection: Connection, snapshots: Mapping[str, str]) -> None:
    """Store, by underlying, the snapshot that positions are valued on."""
    connection.execute(delete(VALUATIONS))
    if snapshots:
        connection.execute(
            insert(VALUATIONS),
            [{"underlying": underlying, "snapshot_id": name} for underlying, name in snapshots.items()],
        )


def valuations(connection: Connection) -> dict[str, str]:
    """By underlying, the snapshot that positions are valued on."""
    rows = connection.execute(select(VALUATIONS).order_by(VALUATIONS.c.underlying))
    return {row.underlying: row.snapshot_id for row in rows}


def add_decisions(
    connection: Connection,
    request: risk_service_pb2.CheckIntentsRequest,
    decisions: Sequence[risk_pb2.RiskDecision],
) -> None:
    """Store the decisions on a batch of intents."""
    if not decisions:
        return
    connection.execute(
        insert(DECISIONS),
        [
            {
                "request_id": request.request_id,
                "intent_id": intent.intent_id,
                "signal_id": intent.signal_id,
                "snapshot_id": request.snapshot_id or intent.snapshot_id,
                "approved": decision.approved,
                "time_ns": decision.time_ns,
                "message": decision,
            }
            for intent, decision in zip(request.intents, decisions, strict=True)
        ],
    )


def approvals(connection: Connection, snapshots: int) -> dict[str, int]:
    """Approvals by snapshot, for the `snapshots` that had one last, oldest first."""
    newest = func.max(DECISIONS.c.number)
    rows = connection.execute(
        select(DECISIONS.c.snapshot_id, func.count().label("approved"))
        .where(DECISIONS.c.approved)
        .group_by(DECISIONS.c.snapshot_id)
        .order_by(newest.desc())
        .limit(snapshots)
    ).all()
    return {row.snapshot_id: int(row.approved) for row in reversed(rows)}


def add_answer(connection: Connection, request_id: str, answer: StoredAnswer) -> None:
    """Keep the answer to a request. Raises IntegrityError if it has one."""
    connection.execute(insert(REQUESTS), {"request_id": request_id, **asdict(answer)})


def answer(connection: Connection, request_id: str) -> StoredAnswer | None:
    """The answer that a request got before; None if it is new."""
    row = connection.execute(
        select(REQUESTS.c.fingerprint, REQUESTS.c.response).where(REQUESTS.c.request_id == request_id)
    ).one_or_none()
    return None if row is None else StoredAnswer(row.fingerprint, row.response)


def add_portfolio(connection: Connection, portfolio: risk_pb2.PortfolioSnapshot) -> None:
    """Store a portfolio."""
    connection.execute(
        insert(PORTFOLIOS),
        {"snapshot_id": portfolio.snapshot_id, "time_ns": portfolio.time_ns, "message": portfolio},
    )


def add_limits(connection: Connection, limits: risk_pb2.RiskLimits, changed_by: str, time_ns: int) -> None:
    """Store limits as those in force."""
    connection.execute(insert(LIMITS), {"time_ns": time_ns, "changed_by": changed_by, "message": limits})


def limits(connection: Connection) -> risk_pb2.RiskLimits | None:
    """The limits in force; None if none were ever set."""
    newest = select(LIMITS.c.message).order_by(LIMITS.c.number.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()


def add_state(connection: Connection, state: risk_pb2.RiskState) -> None:
    """Store a change of the kill switch."""
    connection.execute(
        insert(STATES), {"time_ns": state.time_ns, "changed_by": state.changed_by, "message": state}
    )


def state(connection: Connection) -> risk_pb2.RiskState | None:
    """The kill switch; None if it was never touched."""
    newest = select(STATES.c.message).order_by(STATES.c.number.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()
