"""Legs as people write them: `buy 1 SPXW  190426C02900000`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from skewline.clients.errors import bad_input
from skewline.v1 import common_pb2, order_pb2, signal_pb2

_SIDES: Final = {"buy": common_pb2.SIDE_BUY, "sell": common_pb2.SIDE_SELL}
_WORDS: Final = {number: word for word, number in _SIDES.items()}
_LEG: Final = re.compile(r"(\w+)\s+(\S+)\s+(\S.*)")
_OSI: Final = re.compile(r"([A-Z0-9.]{1,6}) *(\d{6}[CP]\d{8})")


def leg_of(text: str) -> order_pb2.OrderLeg:
    """The leg that `SIDE RATIO INSTRUMENT` says; an OSI symbol is padded. Raises SkewlineError."""
    found = _LEG.fullmatch(text.strip())
    side = _SIDES.get(found[1].lower()) if found else None
    if found is None or side is None or not found[2].isdecimal() or not 0 < int(found[2]) < 2**32:
        raise bad_input("--leg", f"must be 'buy|sell RATIO INSTRUMENT' with a whole ratio, not {text!r}")
    osi = _OSI.fullmatch(found[3])
    instrument = f"{osi[1]:<6}{osi[2]}" if osi else found[3]
    return order_pb2.OrderLeg(side=side, ratio=int(found[2]), instrument_id=instrument)


def order_legs(legs: Iterable[order_pb2.OrderLeg]) -> str:
    """One leg a line."""
    return "\n".join(f"{_WORDS.get(leg.side, '?'):<4} {leg.ratio} {leg.instrument_id}" for leg in legs)


def signal_legs(legs: Iterable[signal_pb2.SignalLeg]) -> str:
    """One leg a line."""
    return "\n".join(f"{_WORDS.get(leg.side, '?'):<4} {leg.ratio} {leg.instrument_id}" for leg in legs)
