"""Fitted surfaces in and out of the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, insert, or_, select

from skewline.storage.calibration.tables import SURFACES
from skewline.storage.listing import behind, matching, within
from skewline.v1 import surface_pb2


def _columns(message: Any) -> tuple[Any, ...]:
    return tuple(
        field.name for field in message.DESCRIPTOR.fields if field.is_repeated and field.name != "reasons"
    )


_SLICE_COLUMNS: Final = _columns(surface_pb2.VolSlice)
_RECORD_COLUMNS: Final = _columns(surface_pb2.RecordSmile)


@dataclass(frozen=True, slots=True)
class SurfaceQuery:
    """Which surfaces: empty or 0 means all; `from_ns` is inclusive, `to_ns` exclusive."""

    underlying: str = ""
    from_ns: int = 0
    to_ns: int = 0


def summary_of(surface: surface_pb2.VolSurface) -> surface_pb2.VolSurface:
    """`surface` without the columns of its slices."""
    summary = surface_pb2.VolSurface()
    summary.CopyFrom(surface)
    for each in summary.slices:
        for name in _SLICE_COLUMNS:
            each.ClearField(name)
        for name in _RECORD_COLUMNS:
            each.record.ClearField(name)
    return summary


def add(connection: Connection, surface: surface_pb2.VolSurface) -> int:
    """Store a surface and return its number. Raises IntegrityError if its snapshot has one already."""
    stored = insert(SURFACES).values(
        surface_id=surface.surface_id,
        snapshot_id=surface.snapshot_id,
        underlying=surface.underlying,
        time_ns=surface.time_ns,
        provenance=surface.provenance,
        status=surface.status,
        heston_status=surface.heston.status,
        atm_vol_30d=surface.atm_vol_30d,
        rmse=surface.rmse,
        summary=summary_of(surface),
        surface=surface,
    )
    return int(connection.execute(stored.returning(SURFACES.c.number)).scalar_one())


def surface(connection: Connection, surface_id: str) -> surface_pb2.VolSurface | None:
    """The surface of this id, None if it is not stored."""
    return connection.execute(
        select(SURFACES.c.surface).where(SURFACES.c.surface_id == surface_id)
    ).scalar_one_or_none()


def id_of_snapshot(connection: Connection, snapshot_id: str) -> str:
    """The surface fitted to a snapshot; "" if there is none."""
    found = connection.execute(
        select(SURFACES.c.surface_id).where(SURFACES.c.snapshot_id == snapshot_id)
    ).scalar_one_or_none()
    return found or ""


def newest_id(connection: Connection, underlying: str, as_of_ns: int = 0) -> str:
    """The newest surface of `underlying` not after `as_of_ns` (0: of all); "" if there is none."""
    wanted = [SURFACES.c.underlying == underlying]
    if as_of_ns:
        wanted.append(SURFACES.c.time_ns <= as_of_ns)
    found = connection.execute(
        select(SURFACES.c.surface_id)
        .where(*wanted)
        .order_by(SURFACES.c.time_ns.desc(), SURFACES.c.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found or ""


def summaries(
    connection: Connection, query: SurfaceQuery, after: tuple[int, str] | None, limit: int
) -> list[surface_pb2.VolSurface]:
    """Newest first, without columns; `after` is (time_ns, surface_id) of the last one of the page before."""
    wanted = [
        *matching({SURFACES.c.underlying: query.underlying}),
        *within(SURFACES.c.time_ns, query.from_ns, query.to_ns),
        *behind(SURFACES.c.time_ns, SURFACES.c.surface_id, after),
    ]
    rows = connection.execute(
        select(SURFACES.c.summary)
        .where(*wanted)
        .order_by(SURFACES.c.time_ns.desc(), SURFACES.c.surface_id)
        .limit(limit)
    )
    return list(rows.scalars())


def newest_number(connection: Connection) -> int:
    """The number of the surface stored last; 0 without any."""
    return int(connection.execute(select(func.coalesce(func.max(SURFACES.c.number), 0))).scalar_one())


def stored_after(connection: Connection, number: int) -> list[tuple[int, surface_pb2.VolSurface]]:
    """Numbers and summaries of all surfaces stored after the one of `number`, in the order of fitting.

    The newest good one of each underlying comes whole.
    """
    return _newest_good_whole(connection, SURFACES.c.number > number)


def remembered(connection: Connection, levels: int) -> list[surface_pb2.VolSurface]:
    """What the engine remembers: summaries in the order of fitting.

    Of each underlying the newest `levels` with an at-the-money vol, the newest with a usable Heston fit, and
    the newest good one, which comes whole.
    """
    newest_first = (
        select(
            SURFACES.c.number,
            func.row_number()
            .over(partition_by=SURFACES.c.underlying, order_by=SURFACES.c.number.desc())
            .label("age"),
        )
        .where(SURFACES.c.atm_vol_30d > 0.0)
        .subquery()
    )
    with_heston = (
        select(func.max(SURFACES.c.number))
        .where(SURFACES.c.heston_status != surface_pb2.FIT_STATUS_FAILED)
        .group_by(SURFACES.c.underlying)
    )
    wanted = or_(
        SURFACES.c.number.in_(select(newest_first.c.number).where(newest_first.c.age <= levels)),
        SURFACES.c.number.in_(with_heston),
        SURFACES.c.number.in_(_newest_good()),
    )
    return [found for _, found in _newest_good_whole(connection, wanted)]


def _newest_good() -> Select[tuple[int]]:
    """The number of the newest good surface of each underlying."""
    good = SURFACES.c.status == surface_pb2.FIT_STATUS_GOOD
    return select(func.max(SURFACES.c.number)).where(good).group_by(SURFACES.c.underlying)


def _newest_good_whole(
    connection: Connection, wanted: ColumnElement[bool]
) -> list[tuple[int, surface_pb2.VolSurface]]:
    """Numbers and summaries of the wanted, ascending; the newest good one of each underlying is whole."""
    rows = connection.execute(select(SURFACES.c.number, SURFACES.c.summary).where(wanted))
    found = {row.number: row.summary for row in rows}
    if found:
        whole = connection.execute(
            select(SURFACES.c.number, SURFACES.c.surface).where(
                SURFACES.c.number.in_(_newest_good()), SURFACES.c.number >= min(found)
            )
        )
        found |= {row.number: row.surface for row in whole if row.number in found}
    return sorted(found.items())
