"""Cboe daily chains: one CSV file, plain or gzipped, for an underlying and a day.

Columns used: underlying, underlying_last, optionroot, type, expiration, quotedate, strike, bid, ask, volume,
openinterest, impliedvol; dates are m/d/Y. The file has no sizes and no time of
day, which is therefore an assumption.
"""

from __future__ import annotations

import gzip
import io
import zlib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from skewline.servers.marketdata.chain_columns import Columns, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.contract_terms import exercise_of
from skewline.servers.marketdata.sources.csv_fault import first_fault
from skewline.servers.marketdata.sources.source import (
    Selection,
    SnapshotRef,
    SourceError,
    in_order,
    require_folder,
)
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2, common_pb2

DEFAULT_TIME: Final = time(15, 0)
_TEXT: Final = ("underlying", "optionroot", "type", "expiration", "quotedate")
_NUMBERS: Final = ("underlying_last", "strike", "bid", "ask", "volume", "openinterest", "impliedvol")
_NEEDED: Final = (*_TEXT, *_NUMBERS)
# An OSI symbol ends in YYMMDD, C or P, and 8 digits of strike: what stands before is the root.
_OSI_TAIL: Final = 15
_EXTRA: Final = {"volume": "volume", "open_interest": "openinterest", "vendor_iv": "impliedvol"}
_DATE: Final = "%m/%d/%Y"
_FIRST_YEAR, _END_YEAR = 1980, 2200


class CboeSource:
    """The chains of a folder, each seen at `at` (New York time) of its quote date."""

    def __init__(self, folder: Path, selection: Selection = Selection(), at: time = DEFAULT_TIME) -> None:  # noqa: B008
        self._folder = folder
        self._selection = selection
        self._at = at

    def plan(self) -> list[SnapshotRef]:
        """A snapshot a file. Raises SourceError for a folder without chains, a file without rows."""
        require_folder(self._folder, "Cboe daily chains (*.csv or *.csv.gz)")
        files = sorted([*self._folder.glob("*.csv"), *self._folder.glob("*.csv.gz")])
        if not files:
            raise SourceError(f"{self._folder} holds no *.csv and no *.csv.gz: name the folder of the chains")
        refs = []
        for file in files:
            underlying, day = _head(file)
            if self._selection.wants_symbol(underlying) and self._selection.wants_day(day):
                refs.append(SnapshotRef(underlying, new_york.instant_ns(day, self._at), file.name))
        return in_order(refs)

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """Read one file. Raises SourceError that names file, line, column and fix."""
        file = self._folder / ref.key
        raw = _content(file)
        table = _table(file, raw)
        underlying, spot, quoted = (
            _only(file, table, name) for name in ("underlying", "underlying_last", "quotedate")
        )
        day = _date(file, quoted, "quotedate")
        right = _checked_right(file, table, raw)
        roots = pc.utf8_slice_codeunits(table["optionroot"], 0, stop=-_OSI_TAIL)
        listed = pc.binary_join_element_wise(roots, table["expiration"], "|").combine_chunks()
        coded = listed.dictionary_encode()
        expiries = []
        for text in coded.dictionary.to_pylist():
            root, _, expiration = text.partition("|")
            if not root:
                raise SourceError(
                    f"{file}, column optionroot: a symbol has no root; write e.g. SPXW190426C02900000"
                )
            expiries.append(listed_expiry(root, _date(file, expiration, "expiration")))
        return build_chain(
            Heading(
                underlying=underlying,
                time_ns=new_york.instant_ns(day, self._at),
                source=f"cboe:{file.name}",
                provenance=common_pb2.PROVENANCE_RECORDED,
                spot=spot,
                exercise=exercise_of(underlying),
            ),
            expiries,
            Columns(
                expiry_index=coded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
                strike=table["strike"].to_numpy(),
                is_call=right,
                bid=table["bid"].to_numpy(),
                ask=table["ask"].to_numpy(),
                more={name: table[column].to_numpy() for name, column in _EXTRA.items()},
            ),
        )


def _head(file: Path) -> tuple[str, date]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as raw:
            # Spreadsheets put a byte order mark first.
            lines = io.TextIOWrapper(raw, encoding="utf-8-sig")
            names = lines.readline().strip().split(",")
            values = lines.readline().strip().split(",")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{file} cannot be read ({error}): fetch the file again") from error
    _require_columns(file, names)
    row = dict(zip(names, values, strict=False))
    if "quotedate" not in row or len(values) != len(names):
        raise SourceError(f"{file}, line 2: no row follows the header; fetch the file again or take it away")
    return row["underlying"], _date(file, row["quotedate"], "quotedate")


def _require_columns(file: Path, names: list[str]) -> None:
    if missing := [name for name in _NEEDED if name not in names]:
        raise SourceError(
            f"{file}, line 1: column {', '.join(missing)} is missing; a daily chain has {','.join(_NEEDED)}"
        )


def _content(file: Path) -> bytes:
    try:
        raw = file.read_bytes()
        return gzip.decompress(raw) if file.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{file} cannot be read ({error}): fetch the file again") from error


def _table(file: Path, raw: bytes) -> Any:
    types = {**{name: pa.string() for name in _TEXT}, **{name: pa.float64() for name in _NUMBERS}}
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(raw),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=list(_NEEDED), column_types=types, null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        fault = first_fault(raw, _NEEDED, _NUMBERS)
        raise SourceError(f"{file}{fault or f': {error}; fetch the file again'}") from error
    if table.num_rows == 0:
        raise SourceError(f"{file}, line 2: no row follows the header; fetch the file again or take it away")
    if any(table[name].null_count for name in _NEEDED):
        raise SourceError(f"{file}{first_fault(raw, _NEEDED, _NUMBERS) or ': a field is empty; fill it'}")
    return table


def _only(file: Path, table: Any, name: str) -> Any:
    values = pc.unique(table[name]).to_pylist()
    if len(values) != 1:
        raise SourceError(
            f"{file}, column {name}: holds {values[0]!r} and {values[1]!r}; a file is one snapshot, split it"
        )
    return values[0]


def _checked_right(file: Path, table: Any, raw: bytes) -> Any:
    calls = pc.equal(table["type"], "call").to_numpy()
    known = calls | pc.equal(table["type"], "put").to_numpy()
    if not known.all():
        line = int(np.argmin(known)) + 2
        raise SourceError(f"{file}, line {line}, column type: is neither 'call' nor 'put'; correct it")
    return calls


def _date(file: Path, text: str, column: str) -> date:
    try:
        found = datetime.strptime(text, _DATE).date()  # noqa: DTZ007
    except ValueError as error:
        raise SourceError(
            f"{file}, column {column}: {text!r} is not a date such as 04/25/2019; correct it"
        ) from error
    if not _FIRST_YEAR <= found.year < _END_YEAR:
        raise SourceError(
            f"{file}, column {column}: {text!r} is not between {_FIRST_YEAR} and {_END_YEAR}; correct it"
        )
    return found
