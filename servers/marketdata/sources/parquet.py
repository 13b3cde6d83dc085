"""Chains in Parquet, one row a contract: what `skewline data sample` writes, and anyone else may.

A file `chains*.parquet` has the columns of `SCHEMA`; those that may be missing are listed in `OPTIONAL`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skewline.servers.marketdata.chain_columns import (
    OPTIONAL_COLUMNS,
    Columns,
    Heading,
    build_chain,
    columns_of,
)
from skewline.servers.marketdata.sources.source import (
    Selection,
    SnapshotRef,
    SourceError,
    in_order,
    require_folder,
)
from skewline.servers.runtime import new_york
from skewline.servers.runtime.decimals import to_decimal
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

SCHEMA: Final = pa.schema(
    [
        ("underlying", pa.string()),
        ("time_ns", pa.int64()),
        ("source", pa.string()),
        ("provenance", pa.string()),
        ("spot", pa.float64()),
        ("exercise", pa.string()),
        ("multiplier", pa.decimal128(28, 9)),
        ("currency", pa.string()),
        ("root", pa.string()),
        ("expiry_date", pa.string()),
        ("expiry_ns", pa.int64()),
        ("settlement", pa.string()),
        ("strike", pa.float64()),
        ("is_call", pa.bool_()),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
    ]
)
_OF_VENUE: Final = {"forward": "max", "discount": "max", "on_future": "any"}
"""Of an expiry, where the venue states them, and how its rows say it; 0 or absent where it does not."""
OPTIONAL: Final = (*OPTIONAL_COLUMNS, *_OF_VENUE, "symbol")
_TYPES: Final = {
    **{field.name: field.type for field in SCHEMA},
    **dict.fromkeys((*OPTIONAL_COLUMNS, "forward", "discount"), pa.float64()),
    "on_future": pa.bool_(),
    "symbol": pa.string(),
}
_FILLED: Final = tuple(name for name in SCHEMA.names if name not in ("spot", "strike", "bid", "ask"))
"""Columns where each row must have a value: of spots, strikes and prices a missing one is judged later."""
_HEADING: Final = ("source", "provenance", "spot", "exercise", "multiplier", "currency")
_EXPIRY: Final = ("root", "expiry_date", "expiry_ns", "settlement")


class ParquetSource:
    """The chains in a folder's files `chains*.parquet`."""

    def __init__(self, folder: Path, selection: Selection = Selection()) -> None:  # noqa: B008
        self._folder = folder
        self._selection = selection

    def plan(self) -> list[SnapshotRef]:
        """A snapshot for each underlying and time. Raises SourceError."""
        require_folder(self._folder, "chains*.parquet")
        files = sorted(self._folder.glob("chains*.parquet"))
        if not files:
            raise SourceError(
                f"{self._folder} holds no chains*.parquet: run `skewline data sample`, or name another"
            )
        refs = []
        for file in files:
            keys = _read(file, ["underlying", "time_ns"]).group_by(["underlying", "time_ns"]).aggregate([])
            for row in keys.to_pylist():
                wanted = self._selection.wants_symbol(row["underlying"])
                if wanted and self._selection.wants_day(new_york.date_of(row["time_ns"])):
                    refs.append(SnapshotRef(row["underlying"], row["time_ns"], file.name))
        return in_order(refs)

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """One snapshot. Raises SourceError."""
        file = self._folder / ref.key
        table = _read(
            file, None, (pc.field("underlying") == ref.underlying) & (pc.field("time_ns") == ref.time_ns)
        )
        first = {name: _only(file, table, name) for name in _HEADING}
        keys = pa.array(range(table.num_rows))
        told = [name for name in _OF_VENUE if name in table.column_names]
        expiries = (
            table.select([*_EXPIRY, *told])
            .append_column("row", keys)
            .group_by(list(_EXPIRY))
            .aggregate([("row", "min"), *((name, _OF_VENUE[name]) for name in told)])
        )
        places = {
            tuple(row[name] for name in _EXPIRY): place for place, row in enumerate(expiries.to_pylist())
        }
        rows = zip(*(table[name].to_pylist() for name in _EXPIRY), strict=True)
        try:
            return build_chain(
                Heading(
                    underlying=ref.underlying,
                    time_ns=ref.time_ns,
                    source=first["source"],
                    provenance=common_pb2.Provenance.Value(first["provenance"]),
                    spot=first["spot"] if first["spot"] is not None else float("nan"),
                    exercise=instrument_pb2.ExerciseStyle.Value(first["exercise"]),
                    multiplier=first["multiplier"].normalize(),
                    currency=first["currency"],
                ),
                [
                    chain_pb2.ChainExpiry(
                        root=row["root"],
                        expiry_date=row["expiry_date"],
                        expiry_ns=row["expiry_ns"],
                        settlement=instrument_pb2.SettlementStyle.Value(row["settlement"]),
                        forward=row.get("forward_max") or 0.0,
                        discount=row.get("discount_max") or 0.0,
                        on_future=row.get("on_future_any") or False,
                    )
                    for row in expiries.to_pylist()
                ],
                Columns(
                    expiry_index=np.fromiter(
                        (places[row] for row in rows), dtype=np.int64, count=table.num_rows
                    ),
                    strike=table["strike"].to_numpy(),
                    is_call=table["is_call"].to_numpy(),
                    bid=table["bid"].to_numpy(),
                    ask=table["ask"].to_numpy(),
                    more={
                        name: table[name].to_numpy()
                        for name in OPTIONAL_COLUMNS
                        if name in table.column_names and table[name].null_count == 0
                    },
                    symbol=_symbols(table),
                ),
            )
        except ValueError as error:
            raise SourceError(f"{file}: {error}; write the file as `skewline data sample` does") from error


def rows_of(chain: chain_pb2.OptionChain) -> pa.Table:
    """`chain` as rows of `SCHEMA` and those of `OPTIONAL` that it has."""
    columns = columns_of(chain)
    count = columns.strike.size
    expiries = [chain.expiries[index] for index in chain.expiry_index]
    values: dict[str, Any] = {
        "underlying": [chain.underlying] * count,
        "time_ns": [chain.time_ns] * count,
        "source": [chain.source] * count,
        "provenance": [common_pb2.Provenance.Name(chain.provenance)] * count,
        "spot": [chain.spot] * count,
        "exercise": [instrument_pb2.ExerciseStyle.Name(chain.exercise)] * count,
        "multiplier": [to_decimal(chain.multiplier)] * count,
        "currency": [chain.currency] * count,
        "root": [expiry.root for expiry in expiries],
        "expiry_date": [expiry.expiry_date for expiry in expiries],
        "expiry_ns": [expiry.expiry_ns for expiry in expiries],
        "settlement": [instrument_pb2.SettlementStyle.Name(expiry.settlement) for expiry in expiries],
        "strike": columns.strike,
        "is_call": columns.is_call,
        "bid": columns.bid,
        "ask": columns.ask,
    }
    table = pa.table(values, schema=SCHEMA)
    for name in OPTIONAL_COLUMNS:
        column = columns.more.get(name)
        table = table.append_column(
            name, pa.nulls(count, pa.float64()) if column is None else pa.array(column)
        )
    for name in _OF_VENUE:
        table = table.append_column(name, pa.array([getattr(expiry, name) for expiry in expiries]))
    symbols = pa.array(list(chain.symbol)) if chain.symbol else pa.nulls(count, pa.string())
    return table.append_column("symbol", symbols)


def _read(file: Path, columns: list[str] | None, filters: Any = None) -> Any:
    try:
        names = pq.read_schema(file).names
        if missing := [name for name in SCHEMA.names if name not in names]:
            raise SourceError(
                f"{file} lacks column {', '.join(missing)}: write it as `skewline data sample` does"
            )
        table = pq.read_table(file, columns=columns, filters=filters)
        known = [name for name in table.column_names if name in _TYPES]
        table = pa.table({name: table[name].cast(_TYPES[name]) for name in known})
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file} cannot be read as Parquet ({error}): write it again") from error
    for name in _FILLED:
        if name in table.column_names and table[name].null_count:
            raise SourceError(f"{file}, column {name}: {table[name].null_count} rows have no value; fill it")
    return table


def _only(file: Path, table: Any, name: str) -> Any:
    values = pc.unique(table[name]).to_pylist()
    if len(values) != 1:
        raise SourceError(f"{file}, column {name}: a snapshot has one value, not {len(values)}; correct it")
    return values[0]


def _symbols(table: Any) -> list[str]:
    if "symbol" not in table.column_names or table["symbol"].null_count:
        return []
    symbols: list[str] = table["symbol"].to_pylist()
    return symbols
