"""Parts of list queries: data time within bounds, and pages that begin behind a key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, and_, or_


def within(time_ns: Column[Any], from_ns: int, to_ns: int) -> list[ColumnElement[bool]]:
    """The condition `from_ns` ≤ time < `to_ns`, where 0 leaves a side open."""
    wanted: list[ColumnElement[bool]] = []
    if from_ns:
        wanted.append(time_ns >= from_ns)
    if to_ns:
        wanted.append(time_ns < to_ns)
    return wanted


def matching(wanted: dict[Column[Any], object]) -> list[ColumnElement[bool]]:
    """Columns that equal what is asked for; empty text and 0 ask for nothing."""
    return [column == value for column, value in wanted.items() if value]


def behind(
    time_ns: Column[Any], name: Column[Any], after: tuple[int, str] | None
) -> list[ColumnElement[bool]]:
    """What follows `after`, (time, name), where the newest comes first and equal times go by name."""
    if after is None:
        return []
    at, behind_name = after
    return [or_(time_ns < at, and_(time_ns == at, name > behind_name))]
