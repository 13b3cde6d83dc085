"""What a live source is: one connection at a time, heard item by item; everything else is supervision."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from skewline.v1 import chain_pb2, common_pb2, order_book_pb2


class SourceFault(Exception):
    """A connection failed or broke; the source may be streamed anew.

    `reason` is stable and upper-case; `retry_after_s` is how long the venue asks to be left alone.
    """

    def __init__(self, reason: str, detail: str, retry_after_s: float = 0.0) -> None:
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        super().__init__(f"{reason}: {detail}")


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """A chain snapshot, its snapshot_id empty."""

    chain: chain_pb2.OptionChain


@dataclass(frozen=True, slots=True)
class BarsSeen:
    """Bars of the underlying; one told again replaces the one before, so that a bar may still go on."""

    series: chain_pb2.BarSeries


@dataclass(frozen=True, slots=True)
class BookSeen:
    """An order book as it stands now."""

    book: order_book_pb2.OrderBook


@dataclass(frozen=True, slots=True)
class TradesSeen:
    """Trades of one instrument that follow those seen before."""

    batch: order_book_pb2.TradeBatch


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The venue answered, and had nothing new."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Something of the venue's did not get through; what comes next does not rest on it."""

    reason: str
    """Stable, upper-case: "SEQUENCE", "UNREADABLE"."""
    detail: str


@dataclass(frozen=True, slots=True)
class MarketClosed:
    """Nothing is expected before `until_ns`, wall clock."""

    until_ns: int
    detail: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """Connected, but the venue cannot bring what it should: the feed is stale until `Restored`."""

    reason: str
    """Stable, upper-case: "CONNECTIVITY_LOST", "FARM_BROKEN"."""
    detail: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was stalled is there again, and what comes next rests on nothing from before."""

    detail: str


Heard: TypeAlias = (
    ChainSeen | BarsSeen | BookSeen | TradesSeen | Unchanged | Missed | MarketClosed | Stalled | Restored
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source may be silent, seconds."""

    stale_after_s: float
    """Without anything new: it is stale."""
    reconnect_after_s: float
    """Without a word, not even that nothing is new: the connection is given up."""
    gap_after_s: float
    """A break this long may have lost something: subscribers are told."""


class LiveSource(Protocol):
    """One feed's venue. It keeps what it must from connection to connection, and never reconnects itself."""

    @property
    def underlying(self) -> str:
        """Of what it brings."""

    @property
    def provenance(self) -> common_pb2.Provenance.ValueType:
        """Live or delayed."""

    @property
    def patience(self) -> Patience:
        """How long it may be silent."""

    def stream(self) -> AsyncGenerator[Heard, None]:
        """One connection, from its opening to its end, begun from a complete state of the venue.

        Raises SourceFault when it cannot be opened, breaks, or brings what cannot be read at all.
        """
