"""Bars in anyone's tables, CSV or Parquet, by a map or by their headers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from skewline.servers.marketdata.sources.bar_file import PRICES, BarRows, LeftOut
from skewline.servers.marketdata.sources.source import Selection, SourceError
from skewline.servers.marketdata.sources.tabular import values
from skewline.servers.marketdata.sources.tabular.column_map import bar_map_for, map_beside, read_map
from skewline.servers.marketdata.sources.tabular.rows import Coded, TableColumns, name_of
from skewline.servers.marketdata.sources.tabular.tables import (
    CSV_NAMES,
    PARQUET_NAMES,
    Table,
    files_of,
    read_table,
)
from skewline.servers.runtime import new_york

_PATTERNS = {"csv": CSV_NAMES, "parquet": PARQUET_NAMES}


def tabular_bars(
    form: str, place: Path, underlying: str, selection: Selection, left_out: LeftOut
) -> Iterator[BarRows]:
    """The bars of a file or folder, by underlying. `underlying` is for tables that have no column of it.

    A day begins at its midnight where the map's zone is. Raises SourceError naming file, line and fix.
    """
    beside = map_beside(place)
    told = read_map(beside) if beside is not None else None
    for file in files_of(place, _PATTERNS[form], "bars"):
        table = read_table(file)
        known = bar_map_for(file, table.names, told, underlying)
        column = TableColumns(table, known)
        zone, form_of_time = ZoneInfo(known.format.zone), column.form("time", known.format.time)
        told_at = "time_of_day" in known.format.model_fields_set
        at = known.format.time_of_day if told_at else time(0)
        starts = column.coded("time", values.instant(form_of_time, zone, at))
        named = underlying or known.contract.underlying
        if "underlying" in known.columns and not underlying:
            symbols = column.coded("underlying", name_of(known.format.underlying))
        else:
            symbols = Coded(np.zeros(table.data.num_rows, dtype=np.int64), [named])
        readable = (starts.place >= 0) & (symbols.place >= 0)
        _count_unreadable(table, starts, symbols, left_out)
        if not readable.any():
            first = table.place(0) if table.data.num_rows else f"{file}, line 2"
            raise SourceError(
                f"{first}: no row has a time and an underlying that can be read; say [format] time"
            )
        start_ns = np.array([*starts.known, 0], dtype=np.int64)[starts.place]
        columns = {name: column.numbers(name, known.format.price_scale, empty=np.nan) for name in PRICES} | {
            "volume": column.numbers("volume", 1.0, empty=0.0)
        }
        for code, symbol in enumerate(symbols.known):
            if not selection.wants_symbol(symbol):
                continue
            rows = np.flatnonzero(readable & (symbols.place == code))
            days = (new_york.date_of(int(start)) for start in start_ns[rows])
            rows = rows[np.fromiter(map(selection.wants_day, days), np.bool_, rows.size)]
            yield BarRows(
                underlying=symbol,
                source=f"{form}:{file.name}",
                start_ns=start_ns[rows],
                columns={name: values_[rows] for name, values_ in columns.items()},
                places=[table.place(row) for row in rows.tolist()],
            )


def _count_unreadable(table: Table, starts: Coded, symbols: Coded, left_out: LeftOut) -> None:
    for line in table.broken:
        left_out.add("WRONG_FIELD_COUNT", f"{table.file}, line {line}")
    for row in np.flatnonzero(starts.place < 0).tolist():
        left_out.add("UNREADABLE_TIME", table.place(row))
    for row in np.flatnonzero((starts.place >= 0) & (symbols.place < 0)).tolist():
        left_out.add("UNREADABLE_UNDERLYING", table.place(row))
