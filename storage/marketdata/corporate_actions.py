"""Corporate actions in and out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, insert, or_, select

from skewline.storage.listing import matching, within
from skewline.storage.marketdata.tables import CORPORATE_ACTIONS
from skewline.v1 import corporate_action_pb2

_TABLE = CORPORATE_ACTIONS


@dataclass(frozen=True, slots=True)
class ActionQuery:
    """Which actions: empty or 0 means all; `from_ns` is inclusive, `to_ns` exclusive."""

    underlying: str = ""
    kind: int = 0
    from_ns: int = 0
    to_ns: int = 0


def save(connection: Connection, actions: Sequence[corporate_action_pb2.CorporateAction]) -> None:
    """Store actions, new or with new terms."""
    if not actions:
        return
    connection.execute(delete(_TABLE).where(_TABLE.c.action_id.in_([a.action_id for a in actions])))
    connection.execute(
        insert(_TABLE),
        [
            {
                "action_id": action.action_id,
                "kind": action.kind,
                "underlying": action.underlying,
                "new_symbol": action.new_symbol,
                "effective_ns": action.effective_ns,
                "message": action,
            }
            for action in actions
        ],
    )


def actions(
    connection: Connection, query: ActionQuery, after: tuple[int, str] | None = None, limit: int | None = None
) -> list[corporate_action_pb2.CorporateAction]:
    """By effect; `after` is the (effective_ns, action_id) of the last one of the page before."""
    time_ns, name = _TABLE.c.effective_ns, _TABLE.c.action_id
    wanted = [*matching({_TABLE.c.kind: query.kind}), *within(time_ns, query.from_ns, query.to_ns)]
    if query.underlying:
        symbols = (_TABLE.c.underlying, _TABLE.c.new_symbol)
        wanted.append(or_(*(symbol == query.underlying for symbol in symbols)))
    if after is not None:
        wanted.append(or_(time_ns > after[0], and_(time_ns == after[0], name > after[1])))
    rows = connection.execute(select(_TABLE.c.message).where(*wanted).order_by(time_ns, name).limit(limit))
    return list(rows.scalars())
