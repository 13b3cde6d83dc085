"""Options of a request, found on a fitted surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.runtime.instruments import parse_osi
from skewline.v1 import surface_pb2

OK: Final = "OK"


@dataclass(frozen=True, slots=True)
class Options:
    """Options found on a surface, as parallel arrays; `status` is "OK" or why the element is NaN."""

    slices: tuple[surface_pb2.VolSlice | None, ...]
    is_call: Flags
    forward: Doubles
    strike: Doubles
    years: Doubles
    discount: Doubles
    status: list[str]


def options_on(surface: surface_pb2.VolSurface, instrument_ids: Sequence[str]) -> Options:
    """Find each option's expiry: by root and date of its OSI symbol, or by a native id quoted there."""
    by_listing = {(each.root, each.expiry_date): each for each in surface.slices}
    native = {
        name: (each, bool(each.is_call[at]), each.strike[at])
        for each in surface.slices
        for at, name in enumerate(each.instrument_id)
    }
    slices: list[surface_pb2.VolSlice | None] = []
    terms = np.full((4, len(instrument_ids)), np.nan)
    is_call = np.zeros(len(instrument_ids), dtype=np.bool_)
    status = []
    for at, name in enumerate(instrument_ids):
        found, is_call[at], own_strike, reason = _look_up(name, by_listing, native)
        slices.append(found)
        status.append(reason)
        if found is not None:
            terms[:, at] = found.forward, own_strike, found.years, found.discount
    forward, strike, years, discount = terms
    return Options(tuple(slices), is_call, forward, strike, years, discount, status)


def _look_up(
    name: str,
    by_listing: dict[tuple[str, str], surface_pb2.VolSlice],
    native: dict[str, tuple[surface_pb2.VolSlice, bool, float]],
) -> tuple[surface_pb2.VolSlice | None, bool, float, str]:
    if name in native:
        return (*native[name], _usable(native[name][0]))
    try:
        symbol = parse_osi(name)
    except ValueError:
        return None, False, np.nan, "NOT_AN_INSTRUMENT_ID"
    found = by_listing.get((symbol.root, symbol.expiry_date))
    if found is None:
        return None, symbol.is_call, np.nan, "NO_SUCH_EXPIRY"
    return found, symbol.is_call, float(symbol.strike), _usable(found)


def _usable(found: surface_pb2.VolSlice) -> str:
    return OK if found.forward > 0.0 else "NO_FORWARD"
