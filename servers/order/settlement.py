"""Cash settlement of options at expiry."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from skewline.servers.order.ledger import Holding, Ledger
from skewline.servers.order.quotes import Book


@dataclass(frozen=True, slots=True)
class Settlement:
    """A holding that ends at its intrinsic value per unit of underlying."""

    holding: Holding
    value: Decimal
    spot: Decimal


def settlements(ledger: Ledger, book: Book) -> list[Settlement]:
    """Holdings of the book's underlying that have expired, settled at its spot.

    That is the first spot seen at or after the expiry, which stands in for the exchange's settlement print. A
    snapshot without a spot settles nothing; the next one with a spot does.
    """
    spot = book.spot
    if spot is None:
        return []
    return [
        Settlement(holding, holding.contract.intrinsic(spot), spot)
        for holding in ledger.open()
        if holding.contract.underlying == book.underlying and holding.contract.expiry_ns <= book.time_ns
    ]
