"""Minutes of a recorded market's depth updates, from the venue's text to the book."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

from market_data_folder import FOLDER, MISSING
from recorded_depth import Message, Recording, covers, recording
from table_row import Peer, Row, Rows, timed

from skewline.cyext.book import OrderBook

try:
    import order_book
except ImportError:
    order_book = None

_PEER = "order-book (C), Decimal"
#: Of the updates after the snapshot: what a few tenths of a second bring through.
_UPDATES = 1500


def rows() -> Rows:
    """Spot and the perpetual."""
    for market, name in (("spot", "spot"), ("usdm", "perpetual")):
        if not (FOLDER / "order-book").is_dir():
            yield Row(f"a level, BTCUSDT {name}", reason=MISSING)
            continue
        yield _row(recording(FOLDER, market), name)


def _row(recorded: Recording, name: str) -> Row:
    updates = recorded.after[:_UPDATES]
    decimals = {"price_decimals": recorded.price_decimals, "quantity_decimals": recorded.quantity_decimals}
    book = OrderBook(**decimals)
    call = partial(_run, book, recorded.snapshot, updates)
    call()
    expected = _expected(recorded.snapshot, updates)
    sides = (book.bids(100_000), book.asks(100_000))
    wrong = sum(
        list(zip(side.price.tolist(), side.quantity.tolist(), strict=True)) != levels
        for side, levels in zip(sides, expected, strict=True)
    )
    peer = Peer(_PEER)
    levels = sum(len(update["b"]) + len(update["a"]) for update in updates)
    snapshot = sum(len(recorded.snapshot[side]) for side in ("bids", "asks"))
    if order_book is not None:
        peer = Peer(_PEER, partial(_peer_run, recorded.snapshot, updates), levels + snapshot)
    return timed(
        f"a level, BTCUSDT {name}, {levels / len(updates):.0f} in a message",
        call,
        levels + snapshot,
        "every level exact" if not wrong else f"{wrong} sides differ",
        peer=peer,
        exact=not wrong,
    )


def _run(book: OrderBook, snapshot: Message, updates: list[Message]) -> None:
    book.snapshot(snapshot["lastUpdateId"], snapshot["bids"], snapshot["asks"])
    for update in updates:
        book.apply(*covers(update), update["b"], update["a"])


def _peer_run(snapshot: Message, updates: list[Message]) -> Any:
    book = order_book.OrderBook()
    for side, name in ((book.bids, "bids"), (book.asks, "asks")):
        for price, quantity in snapshot[name]:
            side[Decimal(price)] = Decimal(quantity)
    for update in updates:
        for side, name in ((book.bids, "b"), (book.asks, "a")):
            for text, quantity in update[name]:
                price, left = Decimal(text), Decimal(quantity)
                if left:
                    side[price] = left
                elif price in side:
                    del side[price]
    return book


def _expected(snapshot: Message, updates: list[Message]) -> list[list[tuple[float, float]]]:
    """Levels of both sides, best first, by dictionaries of decimals."""
    found = []
    for whole, part, best_first in (("bids", "b", True), ("asks", "a", False)):
        side: dict[Decimal, Decimal] = {}
        for changes in (snapshot[whole], *(update[part] for update in updates)):
            side.update((Decimal(price), Decimal(quantity)) for price, quantity in changes)
        left = sorted(((price, quantity) for price, quantity in side.items() if quantity), reverse=best_first)
        found.append([(float(price), float(quantity)) for price, quantity in left])
    return found
