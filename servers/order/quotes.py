"""The quotes of one chain snapshot, as exact prices, and what of their sizes is already taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skewline.servers.runtime.decimals import price_from_float, to_decimal
from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2, common_pb2

ZERO: Final = Decimal(0)
_TWO: Final = Decimal(2)
_NANO: Final = Decimal("1e-9")
_UNUSED: Final = ("volume", "open_interest", "vendor_iv", "rejected")


@dataclass(frozen=True, slots=True)
class Contract:
    """What an option is worth at its end, and when that is."""

    instrument_id: str
    underlying: str
    is_call: bool
    strike: Decimal
    expiry_ns: int
    multiplier: Decimal
    currency: str

    def intrinsic(self, spot: Decimal) -> Decimal:
        """Cash value at expiry per unit of underlying."""
        return max(spot - self.strike if self.is_call else self.strike - spot, ZERO)


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask per unit of underlying, 0 where there is none, and their sizes in contracts."""

    bid: Decimal
    ask: Decimal
    bid_size: int
    ask_size: int

    def price(self, side: common_pb2.Side.ValueType) -> Decimal:
        """What `side` trades at: a buyer at the ask, a seller at the bid; 0 where nothing is quoted."""
        return self.ask if side == common_pb2.SIDE_BUY else self.bid

    def size(self, side: common_pb2.Side.ValueType) -> int:
        """Contracts quoted to `side`."""
        return self.ask_size if side == common_pb2.SIDE_BUY else self.bid_size

    @property
    def mid(self) -> Decimal | None:
        """Half-way between bid and ask, a missing bid being zero; None without an ask."""
        return ((self.bid + self.ask) / _TWO).quantize(_NANO) if self.ask else None


class Book:
    """The quotes of one snapshot; sizes that a fill has taken are not there for the next one."""

    def __init__(self, chain: chain_pb2.OptionChain, assumed_size: int) -> None:
        self.chain = chain
        self.snapshot_id = chain.snapshot_id
        self.underlying = chain.underlying
        self.time_ns = chain.time_ns
        self.provenance = chain.provenance
        self.currency = chain.currency
        self.multiplier = to_decimal(chain.multiplier)
        self._assumed_size = assumed_size
        self._taken: dict[tuple[str, int], int] = {}
        self._row_of: dict[str, int] | None = None

    @property
    def spot(self) -> Decimal | None:
        """Price of the underlying; None where the source had none."""
        spot = self.chain.spot
        return price_from_float(spot) if math.isfinite(spot) and spot > 0 else None

    def contract(self, instrument_id: str) -> Contract | None:
        """The option of this id; None if the snapshot does not have it."""
        row = self._row(instrument_id)
        if row is None:
            return None
        return Contract(
            instrument_id=instrument_id,
            underlying=self.underlying,
            is_call=self.chain.is_call[row],
            strike=price_from_float(self.chain.strike[row]),
            expiry_ns=self.chain.expiries[self.chain.expiry_index[row]].expiry_ns,
            multiplier=self.multiplier,
            currency=self.currency,
        )

    def quote(self, instrument_id: str) -> Quote | None:
        """The quote of this id; None if the snapshot does not have it."""
        row = self._row(instrument_id)
        if row is None:
            return None
        chain = self.chain
        return Quote(
            bid=_price(chain.bid[row]),
            ask=_price(chain.ask[row]),
            bid_size=self._size(chain.bid_size, row),
            ask_size=self._size(chain.ask_size, row),
        )

    def available(self, instrument_id: str, side: common_pb2.Side.ValueType) -> int:
        """Contracts that `side` can still trade at the quote: none where nothing is quoted."""
        quote = self.quote(instrument_id)
        if quote is None or not quote.price(side):
            return 0
        return max(quote.size(side) - self._taken.get((instrument_id, side), 0), 0)

    def take(self, instrument_id: str, side: common_pb2.Side.ValueType, contracts: int) -> None:
        """Use up `contracts` of what is quoted to `side`."""
        key = (instrument_id, side)
        self._taken[key] = self._taken.get(key, 0) + contracts

    def _row(self, instrument_id: str) -> int | None:
        # Most snapshots change no order: 14,000 ids are made only for those that do.
        if self._row_of is None:
            self._row_of = {name: row for row, name in enumerate(contract_ids(self.chain))}
        return self._row_of.get(instrument_id)

    def _size(self, column: Sequence[float], row: int) -> int:
        if not column:
            return self._assumed_size
        size = column[row]
        return int(size) if math.isfinite(size) and size > 0 else 0


def quoted_columns(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    """`chain` without the columns that no order looks at: what a restart needs of it."""
    bare = chain_pb2.OptionChain()
    bare.CopyFrom(chain)
    for field in _UNUSED:
        bare.ClearField(field)
    return bare


def _price(value: float) -> Decimal:
    return price_from_float(value) if math.isfinite(value) and value > 0 else ZERO
