"""Chains out of tables of option quotes."""

from __future__ import annotations

import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.chain_columns import Columns, Heading, Places, build_chain, listed_expiry
from skewline.servers.marketdata.sources.source import Selection, SnapshotRef, SourceError, in_order
from skewline.servers.marketdata.sources.tabular.column_map import ColumnMap, map_beside, map_for, read_map
from skewline.servers.marketdata.sources.tabular.rows import WRONG_FIELD_COUNT, Rows, expiry_date, rows_of
from skewline.servers.marketdata.sources.tabular.tables import (
    CSV_NAMES,
    PARQUET_NAMES,
    Table,
    files_of,
    read_table,
)
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

_log = logging.getLogger(__name__)

_FORMS: Final = {"csv": (CSV_NAMES, "option quotes"), "parquet": (PARQUET_NAMES, "option quotes")}
_NANOS_A_SECOND: Final = 1_000_000_000
_EXERCISE: Final = {
    "european": instrument_pb2.EXERCISE_STYLE_EUROPEAN,
    "american": instrument_pb2.EXERCISE_STYLE_AMERICAN,
}
_SETTLEMENT: Final = {
    "am": instrument_pb2.SETTLEMENT_STYLE_AM,
    "pm": instrument_pb2.SETTLEMENT_STYLE_PM,
}


class TabularSource:
    """The chains of a file or folder: rows of one underlying and time are one chain, or as the map says.

    Rows that are no contract are counted by reason in the `rejected` of their chain; those that cannot be
    told of any, in that of the first chain of their file.
    """

    def __init__(self, form: str, place: Path, selection: Selection = Selection()) -> None:  # noqa: B008
        self._form = form
        self._place = place
        self._selection = selection
        beside = map_beside(place)
        self._told = read_map(beside) if beside is not None else None
        # Two: the file in hand, and the next, which is read ahead.
        self._opened = lru_cache(maxsize=2)(self._open)

    def plan(self) -> list[SnapshotRef]:
        """Every underlying and time of the files. Raises SourceError."""
        refs = []
        for file in files_of(self._place, *_FORMS[self._form]):
            refs += [
                ref
                for ref in self._opened(file).refs
                if self._selection.wants_symbol(ref.underlying)
                and self._selection.wants_day(new_york.date_of(ref.time_ns))
            ]
        return in_order(refs)

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """One snapshot. Raises SourceError."""
        return self._opened(self._file(ref.key)).chain(ref)

    def _file(self, key: str) -> Path:
        return self._place if self._place.is_file() else self._place / key

    def _open(self, file: Path) -> _File:
        table = read_table(file)
        told = map_for(file, table.names, self._told)
        return _File(self._form, table, told)


class _File:
    """One file's rows, and the snapshots that they make."""

    def __init__(self, form: str, table: Table, told: ColumnMap) -> None:
        self._name = table.file.name
        self._source = f"{form}:{self._name}"
        self._told = told
        if not table.data.num_rows:
            raise SourceError(
                f"{table.file}, line 2: no row follows the header; fetch it again or take it away"
            )
        self._rows = rows = rows_of(table, told)
        step = round(told.snapshots.every_s * _NANOS_A_SECOND)
        # What is known at the end of an interval is what came until then.
        self._at = -(-rows.time_ns // step) * step if step else rows.time_ns
        self._updates = bool(step)
        placed = (rows.fault != "UNREADABLE_TIME") & (rows.underlying.place >= 0)
        keys = np.unique(np.stack([self._at[placed], rows.underlying.place[placed]]), axis=1)
        self.refs = in_order(
            [
                SnapshotRef(rows.underlying.known[code], int(time_ns), self._name)
                for time_ns, code in zip(*keys.tolist(), strict=True)
            ]
        )
        lost = Counter(rows.fault[~placed].tolist())
        lost[WRONG_FIELD_COUNT] += len(table.broken)
        self._lost = +lost
        faulty = np.flatnonzero(rows.fault != "")
        if faulty.size:
            first = int(faulty[0])
            what = f"{faulty.size} rows are no contract, the first: {table.place(first)}, {rows.fault[first]}"
            _log.warning("%s", what)
        if table.broken:
            _log.warning(
                "%s, line %d: has another number of fields than the header", table.file, table.broken[0]
            )

    def chain(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        rows = self._rows
        own = rows.underlying.place == rows.underlying.known.index(ref.underlying)
        here = own & (self._at == ref.time_ns)
        chosen = self._newest(own, ref) if self._updates else np.flatnonzero(here & (rows.fault == ""))
        chain = self._built(ref, chosen)
        faults = Counter(rows.fault[here & (rows.fault != "") & (rows.fault != "UNREADABLE_TIME")].tolist())
        if ref == self.refs[0]:
            faults += self._lost
        chain.rejected.extend(
            common_pb2.ReasonCount(reason=reason, count=count) for reason, count in sorted(faults.items())
        )
        return chain

    def _newest(self, own: Any, ref: SnapshotRef) -> Places:
        """The newest row of each contract that came until then and has not expired."""
        rows = self._rows
        until = np.flatnonzero(own & (self._at <= ref.time_ns) & (rows.fault == ""))
        until = until[np.argsort(rows.time_ns[until], kind="stable")]
        keys = np.stack([rows.root.place, rows.expiry.place, rows.is_call, rows.strike])[:, until][:, ::-1]
        _, newest = np.unique(keys, axis=1, return_index=True)
        chosen = np.sort(until[until.size - 1 - newest])
        instants = np.array([self._expiry(rows, int(row)).expiry_ns for row in chosen], dtype=np.int64)
        return chosen[instants > ref.time_ns]

    def _built(self, ref: SnapshotRef, chosen: Places) -> chain_pb2.OptionChain:
        rows, contract = self._rows, self._told.contract
        listed: dict[tuple[int, int], int] = {}
        index = np.empty(chosen.size, dtype=np.int64)
        expiries: list[chain_pb2.ChainExpiry] = []
        futures: list[tuple[int, float]] = []
        keys = zip(rows.root.place[chosen].tolist(), rows.expiry.place[chosen].tolist(), strict=True)
        for at, (row, key) in enumerate(zip(chosen.tolist(), keys, strict=True)):
            place = listed.setdefault(key, len(listed))
            if place == len(expiries):
                expiries.append(self._expiry(rows, row))
                futures.append((-1, 0.0))
            index[at] = place
            if rows.forward[row] > 0 and rows.time_ns[row] >= futures[place][0]:
                futures[place] = (int(rows.time_ns[row]), float(rows.forward[row]))
        coin = contract.prices == "coin"
        for expiry, (_, future) in zip(expiries, futures, strict=True):
            expiry.forward = future
            expiry.discount = 1.0 if coin and future else 0.0
        # A quote in coin stands while the future moves.
        unit = np.array([future or np.nan for _, future in futures])[index] if coin and futures else 1.0
        spots = rows.spot[chosen]
        spots = spots[np.isfinite(spots)]
        exercise = _EXERCISE.get(contract.exercise, contract_terms.exercise_of(ref.underlying))
        return build_chain(
            Heading(
                underlying=ref.underlying,
                time_ns=ref.time_ns,
                source=self._source,
                provenance=common_pb2.PROVENANCE_RECORDED,
                spot=float(spots[-1]) if spots.size else np.nan,
                exercise=exercise,
                multiplier=contract.multiplier,
                currency=contract.currency,
            ),
            expiries,
            Columns(
                expiry_index=index,
                strike=rows.strike[chosen],
                is_call=rows.is_call[chosen],
                bid=rows.bid[chosen] * unit,
                ask=rows.ask[chosen] * unit,
                more={name: column[chosen] for name, column in rows.more.items()},
                symbol=rows.symbol[chosen].tolist() if rows.symbol is not None else (),
            ),
        )

    def _expiry(self, rows: Rows, row: int) -> chain_pb2.ChainExpiry:
        root = rows.root.known[rows.root.place[row]]
        when = rows.expiry.known[rows.expiry.place[row]]
        told = self._told.contract.settlement
        if isinstance(when, int):
            return chain_pb2.ChainExpiry(
                root=root,
                expiry_date=expiry_date(when),
                expiry_ns=when,
                settlement=_SETTLEMENT[told or "pm"],
            )
        expiry = listed_expiry(root, when)
        if told:
            expiry.settlement = _SETTLEMENT[told]
            expiry.expiry_ns = new_york.expiry_ns(when, expiry.settlement)
        return expiry
