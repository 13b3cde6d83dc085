"""An option by its instrument id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from skewline.servers.runtime import new_york
from skewline.servers.runtime.instruments import parse_osi
from skewline.v1 import instrument_pb2


@dataclass(frozen=True, slots=True)
class Option:
    """What is to be known of an option to value it.

    `expires_ns` is the instant of its expiry; from an OSI symbol, which has only the date, the close of the
    session that it stands for, unless a surface knows better.
    """

    instrument_id: str
    root: str
    expiry_date: str
    is_call: bool
    strike: float
    expires_ns: int

    def intrinsic(self, spot: float) -> float:
        """Value at expiry per unit of underlying."""
        return max(spot - self.strike if self.is_call else self.strike - spot, 0.0)


@lru_cache(maxsize=65_536)
def osi_option(instrument_id: str) -> Option | None:
    """The option of an OSI symbol; None for another id, which only a surface explains."""
    try:
        osi = parse_osi(instrument_id)
    except ValueError:
        return None
    return Option(
        instrument_id=instrument_id,
        root=osi.root,
        expiry_date=osi.expiry_date,
        is_call=osi.is_call,
        strike=float(osi.strike),
        expires_ns=new_york.expiry_ns(
            date.fromisoformat(osi.expiry_date), instrument_pb2.SETTLEMENT_STYLE_PM
        ),
    )
