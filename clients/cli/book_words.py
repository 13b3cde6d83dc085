"""Order books and trades in words."""

from __future__ import annotations

from rich.text import Text

from skewline.clients.cli.wording import number, plain_number, provenance, time_text
from skewline.v1 import order_book_pb2


def book_line(book: order_book_pb2.OrderBook) -> Text:
    """Best prices and their quantities, microprice, imbalance."""
    line = Text(f"{time_text(book.time_ns)}  {book.instrument_id}  ")
    line.append_text(provenance(book.provenance))
    bid, ask = (
        f"{plain_number(quantity[0])} at {plain_number(price[0])}" if price else "none"
        for price, quantity in (
            (book.bid_price, book.bid_quantity),
            (book.ask_price, book.ask_quantity),
        )
    )
    line.append(f"  bid {bid}, ask {ask}, microprice {number(book.microprice, 4)}")
    return line.append(f", imbalance {number(book.imbalance, 3)}")


def trades_line(batch: order_book_pb2.TradeBatch) -> Text:
    """How many, what was bought and sold by those who took, and the last price."""
    line = Text(f"{time_text(batch.time_ns[-1])}  {batch.instrument_id}  ")
    line.append_text(provenance(batch.provenance))
    bought = sum(each for each, is_buy in zip(batch.quantity, batch.is_buy, strict=True) if is_buy)
    sold = sum(batch.quantity) - bought
    count = len(batch.trade_id)
    words = f"  {count} trade{'' if count == 1 else 's'}: bought {number(bought, 4)}, sold {number(sold, 4)}"
    return line.append(f"{words}, last {plain_number(batch.price[-1])}")
