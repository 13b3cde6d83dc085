"""What clients ask about order books and trades, and what they get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from skewline.servers.marketdata import trade_columns
from skewline.servers.marketdata.order_books import OrderBooks
from skewline.servers.marketdata.tape import Tape
from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.messages import copy_into
from skewline.servers.runtime.paging import page_of, token_after
from skewline.servers.runtime.validation import Validation
from skewline.storage.marketdata.trades import TradeQuery
from skewline.v1 import feed_pb2, order_book_pb2
from skewline.v1 import market_data_service_pb2 as pb

_DEEPEST: Final = 5000
_LONGEST: Final = 128


class BookAnswers:
    """Answers from `books` and `tape`; `feed` tells how the feed of a name does, None if none runs."""

    def __init__(self, books: OrderBooks, tape: Tape, feed: Callable[[str], feed_pb2.Feed | None]) -> None:
        self.books = books
        self.tape = tape
        self._feed = feed

    async def order_book(self, request: pb.GetOrderBookRequest) -> pb.GetOrderBookResponse:
        """The current book, or one as of a time. Raises InvalidArgument, NotFound."""
        validation = Validation()
        _check_instrument(validation, request.instrument_id)
        validation.between("depth", request.depth, 0, _DEEPEST)
        validation.non_negative("as_of_ns", request.as_of_ns)
        validation.raise_if_any()
        name = request.instrument_id
        book = await self.books.as_of(name, request.as_of_ns) if request.as_of_ns else self.books.newest(name)
        if book is None:
            raise NotFound("order book of", name)
        feed = self._feed(name)
        return pb.GetOrderBookResponse(
            order_book=_shallower(book, request.depth) if request.depth else book,
            feed_state=feed_pb2.FEED_STATE_STOPPED if feed is None else feed.state,
            feed_reason="" if feed is None else feed.reason,
        )

    async def trades(self, request: pb.ListTradesRequest) -> pb.ListTradesResponse:
        """A page of trades. Raises InvalidArgument."""
        validation = Validation()
        _check_instrument(validation, request.instrument_id)
        validation.non_negative("from_ns", request.from_ns)
        validation.non_negative("to_ns", request.to_ns)
        ordered = not request.to_ns or request.from_ns < request.to_ns
        validation.check(ordered, "to_ns", "must be after from_ns, or 0 for the end")
        validation.raise_if_any()
        query = TradeQuery(request.instrument_id, request.from_ns, request.to_ns)
        page = page_of(request.page_size, request.page_token, repr(query))
        # Ids may begin with 0.
        after = int(page.after[0]) if page.after else -1
        found = await self.tape.listed(query, after, page.size + 1)
        listed = trade_columns.first(found, page.size)
        more = len(found.trade_id) > page.size
        token = token_after((listed.trade_id[-1],), repr(query)) if more else ""
        return pb.ListTradesResponse(trades=listed, next_page_token=token)


def _check_instrument(validation: Validation, instrument_id: str) -> None:
    if validation.required("instrument_id", instrument_id):
        validation.max_length("instrument_id", instrument_id, _LONGEST)


def _shallower(book: order_book_pb2.OrderBook, depth: int) -> order_book_pb2.OrderBook:
    shown = order_book_pb2.OrderBook()
    copy_into(shown, book)
    for column in (shown.bid_price, shown.bid_quantity, shown.ask_price, shown.ask_quantity):
        del column[depth:]
    bids, asks = sum(shown.bid_quantity), sum(shown.ask_quantity)
    shown.depth_imbalance = (bids - asks) / (bids + asks) if bids + asks > 0 else book.imbalance
    return shown
