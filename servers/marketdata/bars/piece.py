"""What bars are made of, and how: prices of moments, or bars of a shorter time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

from skewline.servers.runtime.corporate_actions import price_ratio
from skewline.servers.runtime.provenance import least_real
from skewline.v1 import chain_pb2, common_pb2, corporate_action_pb2

BarOrigin: TypeAlias = "chain_pb2.BarOrigin.ValueType"
Provenance: TypeAlias = "common_pb2.Provenance.ValueType"


class Piece(NamedTuple):
    """A stretch of the price: a bar from `start_ns` to `end_ns`, or one price if these are the same."""

    start_ns: int
    end_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str
    provenance: Provenance

    @property
    def is_bar(self) -> bool:
        """Whether it saw all prices of its time."""
        return self.end_ns > self.start_ns

    def bar_start(self, interval_ns: int) -> int:
        """Start of the bar of this length that it is part of; a whole one stays where it is."""
        if self.end_ns - self.start_ns == interval_ns:
            return self.start_ns
        return self.start_ns - self.start_ns % interval_ns


def moment(time_ns: int, price: float, provenance: Provenance = common_pb2.PROVENANCE_RECORDED) -> Piece:
    """The price of one moment."""
    return Piece(time_ns, time_ns, price, price, price, price, 0.0, "", provenance)


def by_bar(pieces: Iterable[Piece], interval_ns: int) -> Iterator[list[Piece]]:
    """The pieces of each bar that has any, one at the least; `pieces` are in order of start."""
    for _, group in groupby(pieces, lambda piece: piece.bar_start(interval_ns)):
        yield list(group)


def bar_of(pieces: Sequence[Piece], interval_ns: int, origin: BarOrigin) -> chain_pb2.Bar:
    """Open, high, low, close and volume of the pieces of one bar, oldest first."""
    whole = pieces[0].is_bar
    return chain_pb2.Bar(
        start_ns=pieces[0].bar_start(interval_ns),
        open=pieces[0].open,
        high=max(piece.high for piece in pieces),
        low=min(piece.low for piece in pieces),
        close=pieces[-1].close,
        snapshots=0 if whole else len(pieces),
        volume=sum(piece.volume for piece in pieces),
        source=pieces[-1].source,
        provenance=least_real(piece.provenance for piece in pieces),
        origin=origin,
        parts=len(pieces) if whole else 0,
    )


def in_units_after(
    pieces: Sequence[Piece], actions: Iterable[corporate_action_pb2.CorporateAction]
) -> list[Piece]:
    """Pieces with each price as one after all `actions`, so that a split is no return.

    A bar that goes on beyond an action is of the units after it: bars of days may begin at the midnight of
    another zone than the action, but the session is what is in them.
    """
    adjusted = list(pieces)
    for action in actions:
        ratio, since_ns = price_ratio(action), action.effective_ns
        if ratio != 1.0:
            adjusted = [_times(piece, ratio) if _before(piece, since_ns) else piece for piece in adjusted]
    return adjusted


def _before(piece: Piece, since_ns: int) -> bool:
    return piece.start_ns < since_ns and piece.end_ns <= since_ns


def _times(piece: Piece, ratio: float) -> Piece:
    return piece._replace(
        open=piece.open * ratio,
        high=piece.high * ratio,
        low=piece.low * ratio,
        close=piece.close * ratio,
        volume=piece.volume / ratio,
    )
