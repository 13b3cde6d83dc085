"""Whether a snapshot only repeats the last one: a feed that stands still while its clock goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2

# A day's volumes begin at zero: of contracts that trade, a new day repeats few, a stale file nearly all.
_STALE_SHARE: Final = 0.9
_FEWEST_TRADED: Final = 10

Key = tuple[str, str, float, bool]


def repetition(chain: chain_pb2.OptionChain, earlier: chain_pb2.OptionChain) -> str:
    """How clean `chain` repeats `earlier`, in words; empty if it does not.

    It does if the spot and every quote are the same (expiries that ran out since are no difference), or if
    on another day the spot and nearly all the day's volumes are.
    """
    if not (chain.spot == earlier.spot or (math.isnan(chain.spot) and math.isnan(earlier.spot))):
        return ""
    day, before = new_york.date_of(chain.time_ns), new_york.date_of(earlier.time_ns)
    quotes = dict(zip(_keys(earlier), zip(earlier.bid, earlier.ask, strict=True), strict=True))
    same = sum(
        quotes.get(key) == quote
        for key, quote in zip(_keys(chain), zip(chain.bid, chain.ask, strict=True), strict=True)
    )
    if same == len(chain.strike):
        return f"spot and all {same} quotes repeat those of {before} ({earlier.snapshot_id}) at a later time"
    if day != before and chain.volume and earlier.volume:
        return _repeated_volumes(chain, earlier)
    return ""


def _repeated_volumes(chain: chain_pb2.OptionChain, earlier: chain_pb2.OptionChain) -> str:
    volumes = dict(zip(_keys(earlier), earlier.volume, strict=True))
    pairs = [(volumes.get(key, 0.0), volume) for key, volume in zip(_keys(chain), chain.volume, strict=True)]
    traded = [before == now for before, now in pairs if before > 0 or now > 0]
    same = sum(traded)
    if len(traded) < _FEWEST_TRADED or same < _STALE_SHARE * len(traded):
        return ""
    return (
        f"spot {chain.spot:g} and the day's volumes of {same} of {len(traded)} contracts repeat those of"
        f" {new_york.date_of(earlier.time_ns)} ({earlier.snapshot_id})"
    )


def _keys(chain: chain_pb2.OptionChain) -> Iterator[Key]:
    expiries = [(expiry.root, expiry.expiry_date) for expiry in chain.expiries]
    for index, strike, is_call in zip(chain.expiry_index, chain.strike, chain.is_call, strict=True):
        yield (*expiries[index], strike, is_call)
