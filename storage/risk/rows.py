"""What the risk service stores besides the contract's own messages."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """Contracts held of one instrument; `last_price` is per unit of underlying."""

    instrument_id: str
    underlying: str
    multiplier: Decimal
    quantity: Decimal
    last_price: float


@dataclass(frozen=True, slots=True)
class StoredOption:
    """What an exchange-native id means; `strike` is per unit of underlying."""

    instrument_id: str
    root: str
    expiry_date: str
    is_call: bool
    strike: float
    expires_ns: int


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """Net cash of all fills, and the highest equity, currency."""

    cash: Decimal
    peak_equity: float


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The serialised answer that a request got, and a digest of what it asked."""

    fingerprint: str
    response: bytes
