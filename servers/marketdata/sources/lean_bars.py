"""LEAN's equity trade bars: raw prices, whose splits and dividends its factor and map files tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from skewline.servers.marketdata.sources.bar_file import PRICES, BarRows
from skewline.servers.marketdata.sources.lean_actions import factor_actions, map_actions
from skewline.servers.marketdata.sources.lean_quotes import (
    HOUR_NS,
    MINUTE_NS,
    PRICE_SCALE,
    opened,
    parse_lines,
)
from skewline.servers.marketdata.sources.source import Selection, SourceError, require_folder
from skewline.servers.runtime import new_york
from skewline.servers.runtime.day_count import DAY_NS
from skewline.v1 import corporate_action_pb2

LENGTHS: Final = {"daily": DAY_NS, "hour": HOUR_NS, "minute": MINUTE_NS}
"""Lengths of bars by LEAN's name."""
_WIDTH: Final = 5


@dataclass(frozen=True, slots=True)
class LeanBars:
    """The bars under a LEAN data folder, in equity/usa/daily, hour and minute."""

    folder: Path
    selection: Selection

    def rows(self, resolution: str) -> Iterator[BarRows]:
        """Those of one resolution, a file at a time. Raises SourceError naming file and fix."""
        folder = self.folder / "equity" / "usa" / resolution
        require_folder(folder, "LEAN's SYMBOL.zip, or SYMBOL/DATE_trade.zip of minutes")
        found = False
        for file, symbol, day in self._files(folder, resolution):
            if not self.selection.wants_symbol(symbol) or (day and not self.selection.wants_day(day)):
                continue
            found = True
            yield self._read(file, symbol, day)
        if not found:
            raise SourceError(f"{folder} has no trades of the symbols and days asked for: name others")

    def actions(self) -> list[corporate_action_pb2.CorporateAction]:
        """Splits, dividends and symbol changes of the symbols. Raises SourceError."""
        told = []
        equities = self.folder / "equity" / "usa"
        for file in sorted(equities.glob("factor_files/*.csv")):
            # "twx.1" is of an earlier company of the name.
            if self.selection.wants_symbol(file.stem.upper()) and "." not in file.stem:
                told += factor_actions(file, file.stem.upper())
        for file in sorted(equities.glob("map_files/*.csv")):
            if self.selection.wants_symbol(file.stem.upper()):
                told += map_actions(file)
        return told

    def _files(self, folder: Path, resolution: str) -> Iterator[tuple[Path, str, date | None]]:
        if resolution != "minute":
            for file in sorted(folder.glob("*.zip")):
                yield file, file.stem.upper(), None
            return
        for file in sorted(folder.glob("*/*_trade.zip")):
            try:
                day = datetime.strptime(file.name[:8], "%Y%m%d").date()  # noqa: DTZ007
            except ValueError as error:
                raise SourceError(f"{file}: its name has no date such as 20151224; correct it") from error
            yield file, file.parent.name.upper(), day

    def _read(self, file: Path, symbol: str, day: date | None) -> BarRows:
        with opened(file) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist())
        try:
            starts, values = parse_lines(text, day, _WIDTH)
        except ValueError as error:
            raise SourceError(f"{file}: {str(error).splitlines()[0]}; fetch it again") from error
        lines = np.arange(starts.size)
        if day is None:
            days = (new_york.date_of(int(start)) for start in starts)
            lines = np.flatnonzero(np.fromiter(map(self.selection.wants_day, days), np.bool_, starts.size))
        columns = {name: values[place, lines] / PRICE_SCALE for place, name in enumerate(PRICES)}
        return BarRows(
            underlying=symbol,
            source=f"lean:{file.relative_to(self.folder).as_posix()}",
            start_ns=starts[lines],
            columns={**columns, "volume": np.nan_to_num(values[_WIDTH - 1, lines])},
            places=[f"{file}, line {line + 1}" for line in lines.tolist()],
        )
