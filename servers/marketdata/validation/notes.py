"""What is remarkable about contracts that stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns
from skewline.servers.marketdata.validation.contracts import Mask
from skewline.v1 import common_pb2


@dataclass(frozen=True, slots=True)
class Note:
    """Counts, under a stable reason, the contracts that are `so`; they can be traded and fitted as any."""

    reason: str
    meaning: str
    so: Callable[[Columns], Mask]


def _locked(columns: Columns) -> Mask:
    locked: Mask = (columns.bid > 0) & (columns.bid == columns.ask)
    return locked


def _no_bid(columns: Columns) -> Mask:
    missing: Mask = columns.bid == 0
    return missing


def _no_ask(columns: Columns) -> Mask:
    missing: Mask = columns.ask == 0
    return missing


NOTES: Final = (
    Note("LOCKED", "bid and ask are equal", _locked),
    Note("NO_BID", "there is an ask only: it bounds the price from above", _no_bid),
    Note("NO_ASK", "there is a bid only: it bounds the price from below", _no_ask),
)
"""Every note."""


def noted(columns: Columns) -> list[common_pb2.ReasonCount]:
    """How many of the contracts that stay have something to be noted, by reason."""
    counts = ((note.reason, int(np.count_nonzero(note.so(columns)))) for note in NOTES)
    return [common_pb2.ReasonCount(reason=reason, count=count) for reason, count in counts if count]
