"""What the texts of a column mean; what cannot be read is marked, never guessed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from skewline.servers.marketdata.chain_columns import Doubles

T = TypeVar("T")

_UNITS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_BY_DIGITS: Final = {10: "s", 13: "ms", 16: "us", 19: "ns"}
_RIGHTS: Final = {"c": True, "call": True, "p": False, "put": False}
_FIRST_YEAR, _END_YEAR = 1980, 2200


def numbers(column: Any, *, empty: float) -> Doubles:
    """Each value as a number: `empty` where there is none, NaN where it is no number."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            return np.array([_number(each, empty) for each in column.to_pylist()], dtype=np.float64)
    return np.asarray(pc.fill_null(column.cast(pa.float64()), empty).to_numpy(zero_copy_only=False))


def timeless(column: Any, zone: str) -> Any:
    """The column, or if it holds timestamps, these in ns since the epoch: those without a zone in `zone`."""
    if not pa.types.is_timestamp(column.type):
        return column
    aware = column if column.type.tz else pc.assume_timezone(column, zone, ambiguous="earliest")
    return aware.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())


def coded(column: Any, read: Callable[[Any], T | None]) -> tuple[npt.NDArray[np.int64], list[T]]:
    """The place of each value among those that `read` gives, and these; -1 where it gives None."""
    dictionary = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    texts = dictionary.dictionary.to_pylist()
    codes = pc.fill_null(dictionary.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    return renumbered(codes, [read(text.strip() if isinstance(text, str) else text) for text in texts])


def renumbered(
    places: npt.NDArray[np.int64], values: Sequence[T | None]
) -> tuple[npt.NDArray[np.int64], list[T]]:
    """Places among `values` as places among those that are different and not None."""
    known: dict[T, int] = {}
    again = np.full(len(values) + 1, -1, dtype=np.int64)
    for index, value in enumerate(values):
        if value is not None:
            again[index] = known.setdefault(value, len(known))
    return again[places], list(known)


def instant(form: str, zone: ZoneInfo, at: time) -> Callable[[Any], int | None]:
    """Reads an instant, ns since the epoch: in `form`, or with none as ISO 8601 or by its number of digits.

    A day becomes that day `at`; what names no zone is in `zone`.
    """

    def read(value: Any) -> int | None:
        if isinstance(value, bool) or value is None:
            return None
        text = str(value)
        if form in _UNITS or (not form and text.isdigit() and len(text) in _BY_DIGITS):
            return _since_epoch(text, form)
        moment = value if isinstance(value, date) else _moment(text, form)
        if moment is None:
            return None
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, at)
        if not _FIRST_YEAR <= moment.year < _END_YEAR:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        seconds = int(moment.replace(microsecond=0).timestamp())
        return seconds * 1_000_000_000 + moment.microsecond * 1_000

    return read


def day(form: str) -> Callable[[Any], date | None]:
    """Reads a day: in `form`, or with none as YYYY-MM-DD or YYYYMMDD."""

    def read(value: Any) -> date | None:
        found = value if isinstance(value, date) else _moment(str(value), form)
        if found is None or not _FIRST_YEAR <= found.year < _END_YEAR:
            return None
        return found.date() if isinstance(found, datetime) else found

    return read


def is_instant(form: str) -> bool:
    """Whether values in `form` are instants since the epoch, not days."""
    return form in _UNITS


def is_call(value: Any) -> bool | None:
    """Reads C, P, call or put."""
    return _RIGHTS.get(str(value).lower())


def _since_epoch(text: str, form: str) -> int | None:
    unit = form or _BY_DIGITS.get(len(text), "")
    try:
        whole = int(text) * _UNITS[unit] if text.isdigit() else round(float(text) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        return None
    seconds = whole // _UNITS["s"]
    return whole if seconds > 0 and _FIRST_YEAR <= 1970 + seconds / 31_556_952 < _END_YEAR else None


def _moment(text: str, form: str) -> datetime | date | None:
    try:
        if form and form != "iso":
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the caller's
            return found if any(code in form for code in ("%H", "%I", "%T", "%X", "%c")) else found.date()
        return date.fromisoformat(text) if len(text) <= len("2019-04-25") else datetime.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str | None, empty: float) -> float:
    if text is None:
        return empty
    try:
        return float(text)
    except ValueError:
        return math.nan
