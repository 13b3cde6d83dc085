"""The order service's decisions: deterministic, from quotes, signals, risk decisions and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from skewline.servers.order.command_orders import new_terms, replace_intent, submit_intent, submitted_order
from skewline.servers.order.commands import validate_cancel, validate_replace, validate_submit
from skewline.servers.order.floor import Floor, OrderState
from skewline.servers.order.history import Changes
from skewline.servers.order.ledger import Ledger
from skewline.servers.order.proposals import (
    NoNaturalPrice,
    denial_reason,
    signal_intent,
    signal_order,
    signal_order_id,
)
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.v1 import (
    chain_pb2,
    common_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    signal_pb2,
)

_HALTED: Final = "TRADING_HALTED"
_WITHDRAWN: Final = (
    "CALLER_GAVE_UP: risk approved it when nobody waited for it any more, and nothing was traded; "
    "to trade it, submit it with a new request_id"
)


class OrderEngine:
    """Turns signals and commands into orders. A method that returns a batch leaves `changes` to store."""

    def __init__(self, settings: OrderSettings) -> None:
        self._settings = settings
        self.restore(OrderState())

    def restore(self, state: OrderState) -> None:
        """Begin anew from `state`."""
        self._floor = Floor(self._settings, state)
        self._blotter = self._floor.blotter

    @property
    def changes(self) -> Changes:
        """What the last batch changed."""
        return self._floor.changes

    @property
    def venue(self) -> str:
        """Name of the broker that orders go to."""
        return self._floor.venue

    @property
    def ledger(self) -> Ledger:
        """Positions and profit and loss."""
        return self._blotter.ledger

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first snapshot."""
        return self._floor.time_ns

    def get(self, order_id: str) -> order_pb2.Order | None:
        """An order that is not final."""
        record = self._blotter.get(order_id)
        return record.order if record is not None else None

    def live_order_ids(self) -> list[str]:
        """Orders that are not final, in the order of their arrival."""
        return [record.order.order_id for record in self._blotter.live()]

    # --- snapshots, signals and the kill switch

    def on_chain(self, chain: chain_pb2.OptionChain) -> None:
        """Move to the next snapshot: settle what has expired, end and match working orders."""
        self._floor.move_to(chain)

    def propose(self, signal_set: signal_pb2.SignalSet) -> list[risk_pb2.OrderIntent]:
        """What to ask risk for: one intent a new signal that can be priced. Changes nothing."""
        book = self._book_of(signal_set)
        intents = []
        for signal in self._new(signal_set):
            try:
                intents.append(signal_intent(signal, book))
            except NoNaturalPrice:
                continue  # on_decisions enters the order as denied, and says why
        return intents

    def on_decisions(
        self, signal_set: signal_pb2.SignalSet, decisions: Sequence[risk_pb2.RiskDecision], trace_id: str
    ) -> order_pb2.OrderBatch:
        """Send what was approved, enter what was refused; returns all that happened since the last batch.

        Raises ValueError when an intent has no decision.
        """
        book = self._book_of(signal_set)
        by_intent = {decision.intent_id: decision for decision in decisions}
        for signal in self._new(signal_set):
            order = signal_order(signal, book, trace_id)
            try:
                intent = signal_intent(signal, book)
            except NoNaturalPrice as reason:
                self._floor.deny(order, book, signal_set.time_ns, str(reason))
                continue
            decision = by_intent.get(intent.intent_id)
            if decision is None:
                raise ValueError(f"risk gave no decision on intent {intent.intent_id}")
            order.limit_price.CopyFrom(intent.limit_price)
            self._enter(order, decision, book, signal_set.time_ns)
        return self._floor.batch(
            book,
            signal_set.time_ns,
            snapshot_id=signal_set.snapshot_id,
            provenance=signal_set.provenance,
            trace_id=trace_id,
        )

    def on_halt(
        self, state: risk_pb2.RiskState, time_ns: int, *, snapshot_id: str = "", underlying: str = ""
    ) -> order_pb2.OrderBatch:
        """Cancel every working order: the kill switch was tripped, by `snapshot_id` where one did it."""
        for record in self._blotter.live():
            self._floor.cancel(record, time_ns, f"{_HALTED}: {state.reason}")
        book = self._floor.book(underlying)
        provenance = book.provenance if book is not None else common_pb2.PROVENANCE_UNSPECIFIED
        batch = self._floor.batch(book, time_ns, snapshot_id=snapshot_id, provenance=provenance)
        batch.underlying = underlying
        return batch

    # --- commands

    def propose_command(self, request: order_service_pb2.SubmitOrderRequest) -> risk_pb2.OrderIntent:
        """What to ask risk for a manual order. Raises InvalidArgument; changes nothing."""
        book = self._floor.book(request.underlying)
        validate_submit(request, book, self._settings)
        assert book is not None
        return submit_intent(request, book)

    def on_command(
        self, request: order_service_pb2.SubmitOrderRequest, decision: risk_pb2.RiskDecision, trace_id: str
    ) -> order_pb2.OrderBatch:
        """Enter a manual order, sent if approved."""
        intent = self.propose_command(request)
        book = self._floor.known_book(request.underlying)
        self._enter(submitted_order(request, intent, trace_id), decision, book, book.time_ns)
        return self._floor.batch(book, book.time_ns)

    def check_cancel(self, request: order_service_pb2.CancelOrderRequest) -> None:
        """Raises InvalidArgument, NotFound or Refused if the cancel cannot be done."""
        validate_cancel(request, self._blotter.knows(request.order_id), self._blotter.get(request.order_id))

    def cancel(self, request: order_service_pb2.CancelOrderRequest) -> order_pb2.OrderBatch:
        """Cancel what is not filled of an order."""
        self.check_cancel(request)
        record = self._record(request.order_id)
        book = self._floor.known_book(record.order.underlying)
        self._floor.cancel(record, book.time_ns, "CANCELLED_BY_REQUEST")
        return self._floor.batch(book, book.time_ns)

    def propose_replace(self, request: order_service_pb2.ReplaceOrderRequest) -> risk_pb2.OrderIntent:
        """What to ask risk for an order's new terms: all that would work under them. Changes nothing.

        Raises InvalidArgument, NotFound or Refused.
        """
        record = self._blotter.get(request.order_id)
        book = self._floor.book(record.order.underlying) if record is not None else None
        validate_replace(request, self._blotter.knows(request.order_id), record, book, self._settings)
        assert record is not None
        assert book is not None
        return replace_intent(request, record, book)

    def replace(
        self, request: order_service_pb2.ReplaceOrderRequest, decision: risk_pb2.RiskDecision
    ) -> order_pb2.OrderBatch:
        """Change the terms of an order, if risk approved; refused, the order stands as it was."""
        self.propose_replace(request)
        record = self._record(request.order_id)
        book = self._floor.known_book(record.order.underlying)
        if decision.approved:
            self._floor.replace(record, new_terms(request, record), book)
        return self._floor.batch(book, book.time_ns)

    # --- approvals that nobody waits for any more; their batches give back what risk reserved

    def withdraw(
        self, request: order_service_pb2.SubmitOrderRequest, intent: risk_pb2.OrderIntent, trace_id: str
    ) -> order_pb2.OrderBatch:
        """Enter the order of a request whose caller gave up, denied."""
        book = self._floor.known_book(intent.underlying)
        self._floor.deny(submitted_order(request, intent, trace_id), book, book.time_ns, _WITHDRAWN)
        return self._floor.batch(book, book.time_ns)

    def restate(self, order: order_pb2.Order) -> order_pb2.OrderBatch:
        """Say how an order stands, unchanged."""
        book = self._floor.known_book(order.underlying)
        batch = self._floor.batch(book, book.time_ns)
        batch.orders.append(order)
        return batch

    # --- parts

    def _new(self, signal_set: signal_pb2.SignalSet) -> list[signal_pb2.Signal]:
        return [s for s in signal_set.signals if not self._blotter.knows(signal_order_id(s.signal_id))]

    def _enter(
        self, order: order_pb2.Order, decision: risk_pb2.RiskDecision, book: Book, time_ns: int
    ) -> None:
        if not decision.approved:
            self._floor.deny(order, book, time_ns, denial_reason(decision))
            return
        order.quantity.CopyFrom(decision.quantity)
        self._floor.submit(order, book, time_ns)

    def _record(self, order_id: str) -> OrderRecord:
        record = self._blotter.get(order_id)
        assert record is not None
        return record

    def _book_of(self, signal_set: signal_pb2.SignalSet) -> Book:
        book = self._floor.known_book(signal_set.underlying)
        if book.snapshot_id != signal_set.snapshot_id:
            raise ValueError(f"signals of {signal_set.snapshot_id} met the quotes of {book.snapshot_id}")
        return book
