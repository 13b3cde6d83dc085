"""The floor: exchange and blotter as one. What is sent to the exchange is booked, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skewline.servers.order import state_machine as states
from skewline.servers.order.blotter import Blotter
from skewline.servers.order.brokers.simulated import SimulatedExchange
from skewline.servers.order.command_orders import Terms
from skewline.servers.order.fees import FeeSchedule
from skewline.servers.order.history import Changes
from skewline.servers.order.ledger import Holding
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.order.settlement import settlements
from skewline.servers.runtime.corporate_actions import in_words, newly_in_effect
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.v1 import chain_pb2, common_pb2, corporate_action_pb2, order_pb2


@dataclass(frozen=True, slots=True)
class OrderState:
    """All that the engine needs to go on after a restart.

    `records` are the orders not final, by number; `chains` the newest snapshot of each underlying;
    `last_fills` the fills against these snapshots, which used up sizes of theirs.
    """

    records: Sequence[OrderRecord] = ()
    order_ids: Sequence[str] = ()
    order_count: int = 0
    holdings: Sequence[Holding] = ()
    chains: Sequence[chain_pb2.OptionChain] = ()
    last_fills: Sequence[order_pb2.Fill] = ()


class Floor:
    """Works orders on the simulated exchange; `batch` gives all that happened since the last one."""

    def __init__(self, settings: OrderSettings, state: OrderState) -> None:
        self._settings = settings
        self._exchange = SimulatedExchange()
        self.blotter = Blotter(FeeSchedule(settings))
        self.blotter.restore(state.records, state.order_ids, state.order_count, state.holdings)
        for chain in state.chains:
            self._exchange.show(Book(chain, settings.assumed_size))
        for fill in state.last_fills:
            book = self._exchange.book(fill.underlying)
            if book is not None and book.snapshot_id == fill.snapshot_id:
                book.take(fill.instrument_id, fill.side, int(to_decimal(fill.quantity)))
        for record in state.records:
            self._exchange.admit(record.ticket())
        self.changes: Changes = self.blotter.take(None, 0)
        """What the last batch changed."""

    @property
    def venue(self) -> str:
        """Name of the broker that orders go to."""
        return self._exchange.venue

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first snapshot."""
        return max((book.time_ns for book in self._exchange.books()), default=0)

    def book(self, underlying: str) -> Book | None:
        """The newest quotes of an underlying."""
        return self._exchange.book(underlying)

    def known_book(self, underlying: str) -> Book:
        """The newest quotes of an underlying. Raises ValueError before its first snapshot."""
        book = self._exchange.book(underlying)
        if book is None:
            raise ValueError(f"no snapshot of {underlying!r} was seen yet: on_chain comes first")
        return book

    def move_to(self, chain: chain_pb2.OptionChain) -> None:
        """Take the next snapshot: adjust and settle what is held, end and match working orders."""
        book = Book(chain, self._settings.assumed_size)
        self.blotter.moved_to(book)
        actions = newly_in_effect(chain.corporate_actions, chain.underlying, self._seen_ns, book.time_ns)
        for action in actions:
            self._adjust(action, book)
        for settlement in settlements(self.blotter.ledger, book):
            self.blotter.settle(settlement, book)
        self.blotter.apply(self._exchange.on_book(book), book, book.time_ns)

    def submit(self, order: order_pb2.Order, book: Book, time_ns: int) -> None:
        """Enter an order and send it to the exchange."""
        record = self.blotter.initialise(order, time_ns, _first_expiry(order, book))
        self.blotter.step(record, states.ON_APPROVED, time_ns)
        self.blotter.apply(self._exchange.submit(record.ticket()), book, time_ns)

    def deny(self, order: order_pb2.Order, book: Book, time_ns: int, reason: str) -> None:
        """Enter an order that is not sent."""
        record = self.blotter.initialise(order, time_ns, _first_expiry(order, book))
        self.blotter.step(record, states.ON_DENIED, time_ns, reason)

    def cancel(self, record: OrderRecord, time_ns: int, reason: str) -> None:
        """Cancel what is not filled."""
        if record.order.status != states.PENDING_CANCEL:
            self.blotter.step(record, states.ON_CANCEL_REQUESTED, time_ns, reason)
        self.blotter.apply(self._exchange.cancel(record.order.order_id, reason), None, time_ns)

    def replace(self, record: OrderRecord, terms: Terms, book: Book) -> None:
        """Change what is not filled of an order."""
        reports = self._exchange.replace(record.order.order_id, int(terms.quantity), terms.limit_price)
        self.blotter.apply(reports, book, book.time_ns)

    def batch(
        self,
        book: Book | None,
        time_ns: int,
        *,
        snapshot_id: str = "",
        provenance: common_pb2.Provenance.ValueType = common_pb2.PROVENANCE_UNSPECIFIED,
        trace_id: str = "",
    ) -> order_pb2.OrderBatch:
        """All that happened since the last batch, marked at `book`."""
        changes = self.changes = self.blotter.take(book, time_ns, trace_id)
        if book is not None and not provenance:
            provenance = book.provenance
        return order_pb2.OrderBatch(
            snapshot_id=snapshot_id,
            underlying=book.underlying if book is not None else "",
            time_ns=time_ns,
            provenance=provenance,
            orders=[record.order for record in changes.records],
            events=changes.events,
            fills=changes.fills,
            adjustments=changes.adjustments,
            pnl=changes.pnl,
        )

    def _seen_ns(self, underlying: str) -> int:
        book = self._exchange.book(underlying)
        return book.time_ns if book is not None else 0

    def _adjust(self, action: corporate_action_pb2.CorporateAction, book: Book) -> None:
        for record in self.blotter.live():
            # As exchanges do: an order in contracts that are no more is not carried over.
            if record.order.underlying == action.underlying:
                reason = f"CORPORATE_ACTION: {in_words(action)}; enter it again in the contracts after it"
                self.cancel(record, book.time_ns, reason)
        self.blotter.adjust(action, book)


def _first_expiry(order: order_pb2.Order, book: Book) -> int:
    contracts = [book.contract(leg.instrument_id) for leg in order.legs]
    return min((contract.expiry_ns for contract in contracts if contract is not None), default=0)
