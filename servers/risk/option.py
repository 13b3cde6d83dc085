"""What an instrument id says of an option."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from skewline.servers.runtime.instruments import parse_osi

_NEW_YORK: Final = ZoneInfo("America/New_York")
_CLOSE: Final = time(16, 0)


@dataclass(frozen=True, slots=True)
class Option:
    """An option by its id; `close_ns` is the close of its expiry date, where no surface knows the instant."""

    instrument_id: str
    root: str
    expiry_date: str
    is_call: bool
    strike: float
    close_ns: int

    def intrinsic(self, spot: float) -> float:
        """Value at expiry per unit of underlying."""
        return max(spot - self.strike if self.is_call else self.strike - spot, 0.0)


@lru_cache(maxsize=65_536)
def option_of(instrument_id: str) -> Option | None:
    """The option of this id; None for an id that is no OSI symbol."""
    try:
        osi = parse_osi(instrument_id)
    except ValueError:
        return None
    close = datetime.combine(date.fromisoformat(osi.expiry_date), _CLOSE, _NEW_YORK)
    return Option(
        instrument_id=instrument_id,
        root=osi.root,
        expiry_date=osi.expiry_date,
        is_call=osi.is_call,
        strike=float(osi.strike),
        close_ns=int(close.timestamp()) * 1_000_000_000,
    )
