"""A table's rows as contracts with their times, and what is wrong with those that are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.marketdata.sources.tabular import values
from skewline.servers.marketdata.sources.tabular.column_map import NUMBERS, ColumnMap
from skewline.servers.marketdata.sources.tabular.tables import Table
from skewline.servers.runtime.instruments import OsiSymbol, parse_osi

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_READABLE: Final = {
    "UNREADABLE_TIME": "time",
    "UNREADABLE_UNDERLYING": "underlying",
    "UNREADABLE_SYMBOL": "osi",
    "UNREADABLE_EXPIRY": "expiry",
    "UNREADABLE_RIGHT": "right",
}
WRONG_FIELD_COUNT: Final = "WRONG_FIELD_COUNT"


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of few different values: the place of each row's among `known`, -1 where it cannot be read."""

    place: Codes
    known: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Parallel columns, one entry a row; `fault` is the reason why a row is no contract, or empty.

    `expiry` is a day, or an instant in ns where the map says so; `strike` to `forward` are NaN where they
    cannot be read, for validation to set aside.
    """

    time_ns: Codes
    underlying: Coded
    root: Coded
    expiry: Coded
    is_call: Flags
    strike: Doubles
    bid: Doubles
    ask: Doubles
    spot: Doubles
    forward: Doubles
    more: Mapping[str, Doubles]
    symbol: Any
    """Exchange-native ids, or None."""
    fault: npt.NDArray[np.str_]


def rows_of(table: Table, told: ColumnMap) -> Rows:
    """Read a table by a map that fits it. Raises SourceError if not one of its rows is a contract."""
    column = TableColumns(table, told)
    form, contract = told.format, told.contract
    zone = ZoneInfo(form.zone)
    time_ns = column.coded("time", values.instant(column.form("time", form.time), zone, form.time_of_day))
    osi = column.coded("osi", _osi) if "osi" in told.columns else None
    root: Coded | None = None
    if osi is not None:
        contracts: Sequence[OsiSymbol] = osi.known
        root = _of(osi, [each.root for each in contracts])
        expiry = _of(osi, [date.fromisoformat(each.expiry_date) for each in contracts])
        right = _of(osi, [each.is_call for each in contracts])
        strike = np.array([*(float(each.strike) for each in contracts), np.nan])[osi.place]
    else:
        expiry_form = column.form("expiry", form.expiry)
        reader: Callable[[Any], Any] = values.day(expiry_form)
        if values.is_instant(expiry_form):
            reader = values.instant(expiry_form, zone, form.time_of_day)
        expiry = column.coded("expiry", reader)
        right = column.coded("right", values.is_call)
        strike = column.numbers("strike", form.strike_scale, empty=np.nan)
        if "root" in told.columns:
            root = column.coded("root", _name)
    if "underlying" in told.columns:
        underlying = column.coded("underlying", name_of(form.underlying))
    elif contract.underlying:
        underlying = Coded(np.zeros(table.data.num_rows, dtype=np.int64), [contract.underlying])
    else:
        assert root is not None  # map_for asked for one of them
        underlying = root
    read = {
        "UNREADABLE_TIME": time_ns,
        "UNREADABLE_UNDERLYING": underlying,
        "UNREADABLE_SYMBOL": osi,
        "UNREADABLE_EXPIRY": expiry,
        "UNREADABLE_RIGHT": right,
    }
    fault = np.full(table.data.num_rows, "", dtype="U24")
    for reason, coded in read.items():
        if coded is not None:
            fault[(coded.place < 0) & (fault == "")] = reason
    if fault.size and (fault != "").all():
        reason = str(fault[0])
        ours = _READABLE[reason]
        theirs = told.columns.get(ours, ours)
        shown = table.data[theirs][0].as_py()
        raise SourceError(
            f"{table.place(0)}, column {theirs}: {shown!r} cannot be read as {ours}, and nor can the others;"
            f' say its form in columns.toml beside the data, [format] {ours} = "…", or name another column'
        )
    scale = form.price_scale
    return Rows(
        time_ns=np.array([*time_ns.known, 0], dtype=np.int64)[time_ns.place],
        underlying=underlying,
        root=root if root is not None else underlying,
        expiry=expiry,
        is_call=np.array([*right.known, False], dtype=np.bool_)[right.place],
        strike=strike,
        bid=column.numbers("bid", scale, empty=0.0),
        ask=column.numbers("ask", scale, empty=0.0),
        spot=column.numbers("spot", scale, empty=np.nan),
        forward=column.numbers("forward", scale, empty=np.nan),
        more={
            name: column.numbers(name, form.iv_scale if name == "vendor_iv" else 1.0, empty=0.0)
            for name in NUMBERS
            if name in told.columns
        },
        symbol=np.array(column.texts("symbol"), dtype=object) if "symbol" in told.columns else None,
        fault=fault,
    )


class TableColumns:
    """The columns of a table by our names."""

    def __init__(self, table: Table, told: ColumnMap) -> None:
        self._table = table
        self._told = told

    def coded(self, ours: str, read: Callable[[Any], Any]) -> Coded:
        """A column of few different values."""
        return Coded(*values.coded(self._column(ours), read))

    def numbers(self, ours: str, scale: float, *, empty: float) -> Doubles:
        """A column of numbers, `empty` where it or the column is, NaN where it cannot be read."""
        if ours not in self._told.columns:
            return np.full(self._table.data.num_rows, empty)
        found = values.numbers(self._column(ours), empty=empty)
        return found if scale == 1.0 else found * scale

    def form(self, ours: str, told: str) -> str:
        """How the values of a column of times are to be read: as told, unless they are typed."""
        return "ns" if pa.types.is_int64(self._column(ours).type) and self._is_typed(ours) else told

    def _is_typed(self, ours: str) -> bool:
        return bool(pa.types.is_timestamp(self._table.data[self._told.columns[ours]].type))

    def texts(self, ours: str) -> list[str]:
        """A column as it is."""
        return [str(value) for value in self._column(ours).to_pylist()]

    def _column(self, ours: str) -> Any:
        column = self._table.column(self._told.columns[ours])
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
        # An expiry without a zone is a day, however it is stored.
        if ours == "expiry" and pa.types.is_timestamp(column.type) and not column.type.tz:
            return column.cast(pa.date32(), safe=False)
        return values.timeless(column, self._told.format.zone)


def _of(coded: Coded, known: Sequence[Any]) -> Coded:
    return Coded(*values.renumbered(coded.place, known))


def _osi(value: Any) -> OsiSymbol | None:
    try:
        return parse_osi(str(value))
    except ValueError:
        return None


def _name(value: Any) -> str | None:
    return str(value) or None


def name_of(pattern: str) -> Callable[[Any], str | None]:
    """Reads a name: what `pattern` matches of the text, or its group; all of it with no pattern."""

    def read(value: Any) -> str | None:
        found = re.fullmatch(pattern or ".+", str(value))
        if found is None:
            return None
        return found[1] if found.re.groups else found[0]

    return read


def expiry_date(expiry: date | int) -> str:
    """The day of an expiry that is a day, or an instant in ns: then in UTC, where such expire."""
    if isinstance(expiry, date):
        return expiry.isoformat()
    return datetime.fromtimestamp(expiry // 1_000_000_000, tz=UTC).date().isoformat()
