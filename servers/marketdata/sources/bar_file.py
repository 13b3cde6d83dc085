"""What a file of bars gives: series to record, and what of it is no bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.validation.bar_schema import MOST_BARS, check_bar
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, common_pb2

PRICES: Final = ("open", "high", "low", "close")


@dataclass(slots=True)
class LeftOut:
    """Rows that are no bars, by reason, each with the place of the first."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, place: str) -> None:
        """One more."""
        self.counts[reason] += 1
        self.first.setdefault(reason, place)


@dataclass(frozen=True, slots=True)
class BarRows:
    """Bars of one underlying as parallel columns, and where each is, for people."""

    underlying: str
    source: str
    start_ns: npt.NDArray[np.int64]
    columns: dict[str, Doubles]
    """Open, high, low, close and volume."""
    places: Sequence[str]


def series_of(rows: BarRows, interval_ns: int, left_out: LeftOut) -> Iterator[chain_pb2.BarSeries]:
    """The bars in their order, as many in a series as one request takes; what is none goes to `left_out`."""
    bars: dict[int, chain_pb2.Bar] = {}
    names = (*PRICES, "volume")
    columns = [rows.columns[name].tolist() for name in names]
    for start_ns, place, *values in zip(rows.start_ns.tolist(), rows.places, *columns, strict=True):
        bar = chain_pb2.Bar(start_ns=start_ns, **dict(zip(names, values, strict=True)))
        validation = Validation()
        check_bar(bar, validation)
        if validation.violations:
            left_out.add(f"UNUSABLE_{validation.violations[0].field.upper()}", place)
        elif start_ns in bars:
            left_out.add("REPEATED_START", place)
        else:
            bars[start_ns] = bar
    told = list(bars.values())
    for first in range(0, len(told), MOST_BARS):
        yield chain_pb2.BarSeries(
            underlying=rows.underlying,
            interval_ns=interval_ns,
            source=rows.source,
            provenance=common_pb2.PROVENANCE_RECORDED,
            bars=told[first : first + MOST_BARS],
        )
