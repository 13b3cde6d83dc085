"""Splits that bars are adjusted for."""

from __future__ import annotations

from sqlalchemy import Connection

from skewline.servers.runtime.corporate_actions import SPLIT
from skewline.storage.marketdata import corporate_actions
from skewline.storage.marketdata.corporate_actions import ActionQuery
from skewline.v1 import corporate_action_pb2


def splits(
    connection: Connection, underlying: str, until_ns: int
) -> list[corporate_action_pb2.CorporateAction]:
    """Those of `underlying` in effect by `until_ns`, oldest first."""
    query = ActionQuery(underlying, SPLIT, to_ns=until_ns + 1)
    return corporate_actions.actions(connection, query)
