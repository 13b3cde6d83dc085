"""The order service's decisions: deterministic, from quotes, signals, risk decisions and commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skewline.servers.order import state_machine as states
from skewline.servers.order.blotter import Blotter
from skewline.servers.order.brokers.simulated import SimulatedExchange
from skewline.servers.order.commands import validate_cancel, validate_replace, validate_submit
from skewline.servers.order.fees import FeeSchedule
from skewline.servers.order.history import Changes
from skewline.servers.order.ledger import Holding, Ledger
from skewline.servers.order.proposals import (
    NoNaturalPrice,
    natural_price,
    signal_intent,
    signal_legs,
    signal_order_id,
)
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.order.settlement import settlements
from skewline.servers.runtime.decimals import from_decimal, to_decimal
from skewline.servers.runtime.errors import FieldViolation, InvalidArgument
from skewline.servers.runtime.identity import derive_id
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.v1 import (
    chain_pb2,
    common_pb2,
    order_pb2,
    order_service_pb2,
    risk_pb2,
    signal_pb2,
)

_ZERO: Final = Decimal(0)
_HALTED: Final = "TRADING_HALTED"


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


class OrderEngine:
    """Works orders on the simulated exchange. A method that returns a batch leaves `changes` to store."""

    def __init__(self, settings: OrderSettings) -> None:
        self._settings = settings
        self._exchange = SimulatedExchange()
        self._blotter = Blotter(FeeSchedule(settings))
        self.changes: Changes = self._blotter.take(None, 0)
        """What the last batch changed."""

    @property
    def venue(self) -> str:
        """Name of the broker that orders go to."""
        return self._exchange.venue

    @property
    def ledger(self) -> Ledger:
        """Positions and profit and loss."""
        return self._blotter.ledger

    @property
    def time_ns(self) -> int:
        """The newest data time seen; 0 before the first snapshot."""
        return max((book.time_ns for book in self._exchange.books()), default=0)

    def get(self, order_id: str) -> order_pb2.Order | None:
        """An order that is not final."""
        record = self._blotter.get(order_id)
        return record.order if record is not None else None

    def live_order_ids(self) -> list[str]:
        """Orders that are not final, in the order of their arrival."""
        return [record.order.order_id for record in self._blotter.live()]

    def restore(self, state: OrderState) -> None:
        """Begin anew from `state`."""
        self._exchange = SimulatedExchange()
        self._blotter = Blotter(FeeSchedule(self._settings))
        self._blotter.restore(state.records, state.order_ids, state.order_count, state.holdings)
        for chain in state.chains:
            self._exchange.show(Book(chain, self._settings.assumed_size))
        for fill in state.last_fills:
            book = self._exchange.book(fill.underlying)
            if book is not None and book.snapshot_id == fill.snapshot_id:
                book.take(fill.instrument_id, fill.side, int(to_decimal(fill.quantity)))
        for record in state.records:
            self._exchange.admit(record.ticket())

    # --- snapshots and signals

    def on_chain(self, chain: chain_pb2.OptionChain) -> None:
        """Move to the next snapshot: settle what has expired, end and match working orders."""
        book = Book(chain, self._settings.assumed_size)
        self._blotter.moved_to(book)
        for settlement in settlements(self._blotter.ledger, book):
            self._blotter.settle(settlement, book)
        self._blotter.apply(self._exchange.on_book(book), book, book.time_ns)

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
            order = _signal_order(signal, book, trace_id)
            try:
                intent = signal_intent(signal, book)
            except NoNaturalPrice as reason:
                record = self._blotter.initialise(order, signal_set.time_ns)
                self._blotter.step(record, states.ON_DENIED, signal_set.time_ns, str(reason))
                continue
            decision = by_intent.get(intent.intent_id)
            if decision is None:
                raise ValueError(f"risk gave no decision on intent {intent.intent_id}")
            order.limit_price.CopyFrom(intent.limit_price)
            self._enter(order, decision, book, signal_set.time_ns)
        return self._batch(
            book,
            signal_set.time_ns,
            snapshot_id=signal_set.snapshot_id,
            provenance=signal_set.provenance,
            trace_id=trace_id,
        )

    # --- commands

    def propose_command(self, request: order_service_pb2.SubmitOrderRequest) -> risk_pb2.OrderIntent:
        """What to ask risk for a manual order. Raises InvalidArgument; changes nothing."""
        book = self._exchange.book(request.underlying)
        validate_submit(request, book, self._settings)
        assert book is not None
        limit = request.limit_price
        if request.type == order_pb2.ORDER_TYPE_MARKET:
            try:
                limit = from_decimal(natural_price(request.legs, book))
            except NoNaturalPrice as reason:
                fix = f"a market order needs a quote for each leg ({reason}); use a limit order"
                raise InvalidArgument([FieldViolation("type", fix)]) from reason
        order_id = derive_id("order", "request", request.request_id)
        return _command_intent(order_id, request.underlying, request.legs, limit, request.quantity, book)

    def on_command(
        self, request: order_service_pb2.SubmitOrderRequest, decision: risk_pb2.RiskDecision, trace_id: str
    ) -> order_pb2.OrderBatch:
        """Enter a manual order, sent if approved."""
        intent = self.propose_command(request)
        book = self._known_book(request.underlying)
        order = order_pb2.Order(
            order_id=intent.intent_id,
            snapshot_id=book.snapshot_id,
            underlying=request.underlying,
            legs=request.legs,
            type=request.type,
            time_in_force=request.time_in_force or order_pb2.TIME_IN_FORCE_DAY,
            quantity=request.quantity,
            filled_quantity=from_decimal(_ZERO),
            limit_price=intent.limit_price,
            average_price=from_decimal(_ZERO),
            trace_id=trace_id,
            provenance=book.provenance,
        )
        self._enter(order, decision, book, book.time_ns)
        return self._batch(book, book.time_ns)

    def check_cancel(self, request: order_service_pb2.CancelOrderRequest) -> None:
        """Raises InvalidArgument, NotFound or Refused if the cancel cannot be done."""
        validate_cancel(request, self._blotter.knows(request.order_id), self._blotter.get(request.order_id))

    def cancel(self, request: order_service_pb2.CancelOrderRequest) -> order_pb2.OrderBatch:
        """Cancel what is not filled of an order."""
        self.check_cancel(request)
        record = self._record(request.order_id)
        book = self._known_book(record.order.underlying)
        self._cancel(record, book.time_ns, "CANCELLED_BY_REQUEST")
        return self._batch(book, book.time_ns)

    def propose_replace(self, request: order_service_pb2.ReplaceOrderRequest) -> risk_pb2.OrderIntent:
        """What to ask risk for an order's new terms: all that would work under them. Changes nothing.

        Raises InvalidArgument, NotFound or Refused.
        """
        record = self._blotter.get(request.order_id)
        book = self._exchange.book(record.order.underlying) if record is not None else None
        validate_replace(request, self._blotter.knows(request.order_id), record, book, self._settings)
        assert record is not None
        assert book is not None
        left, limit = _new_terms(request, record)
        return _command_intent(
            record.order.order_id,
            record.order.underlying,
            record.order.legs,
            from_decimal(limit),
            from_decimal(left),
            book,
            signal_id=record.order.signal_id,
        )

    def replace(
        self, request: order_service_pb2.ReplaceOrderRequest, decision: risk_pb2.RiskDecision
    ) -> order_pb2.OrderBatch:
        """Change the terms of an order, if risk approved; refused, the order stands as it was."""
        self.propose_replace(request)
        record = self._record(request.order_id)
        book = self._known_book(record.order.underlying)
        if decision.approved:
            left, limit = _new_terms(request, record)
            reports = self._exchange.replace(record.order.order_id, int(left), limit)
            self._blotter.apply(reports, book, book.time_ns)
        return self._batch(book, book.time_ns)

    def on_halt(
        self, state: risk_pb2.RiskState, time_ns: int, *, snapshot_id: str = "", underlying: str = ""
    ) -> order_pb2.OrderBatch:
        """Cancel every working order: the kill switch was tripped, by `snapshot_id` where one did it."""
        for record in self._blotter.live():
            self._cancel(record, time_ns, f"{_HALTED}: {state.reason}")
        book = self._exchange.book(underlying)
        provenance = book.provenance if book is not None else common_pb2.PROVENANCE_UNSPECIFIED
        batch = self._batch(book, time_ns, snapshot_id=snapshot_id, provenance=provenance)
        batch.underlying = underlying
        return batch

    # --- parts

    def _new(self, signal_set: signal_pb2.SignalSet) -> list[signal_pb2.Signal]:
        return [s for s in signal_set.signals if not self._blotter.knows(signal_order_id(s.signal_id))]

    def _enter(
        self, order: order_pb2.Order, decision: risk_pb2.RiskDecision, book: Book, time_ns: int
    ) -> None:
        contracts = [book.contract(leg.instrument_id) for leg in order.legs]
        expiry_ns = min((contract.expiry_ns for contract in contracts if contract is not None), default=0)
        if not decision.approved:
            record = self._blotter.initialise(order, time_ns, expiry_ns)
            self._blotter.step(record, states.ON_DENIED, time_ns, denial_reason(decision))
            return
        order.quantity.CopyFrom(decision.quantity)
        record = self._blotter.initialise(order, time_ns, expiry_ns)
        self._blotter.step(record, states.ON_APPROVED, time_ns)
        self._blotter.apply(self._exchange.submit(record.ticket()), book, time_ns)

    def _cancel(self, record: OrderRecord, time_ns: int, reason: str) -> None:
        if record.order.status != states.PENDING_CANCEL:
            self._blotter.step(record, states.ON_CANCEL_REQUESTED, time_ns, reason)
        self._blotter.apply(self._exchange.cancel(record.order.order_id, reason), None, time_ns)

    def _record(self, order_id: str) -> OrderRecord:
        record = self._blotter.get(order_id)
        assert record is not None
        return record

    def _book_of(self, signal_set: signal_pb2.SignalSet) -> Book:
        book = self._known_book(signal_set.underlying)
        if book.snapshot_id != signal_set.snapshot_id:
            raise ValueError(f"signals of {signal_set.snapshot_id} met the quotes of {book.snapshot_id}")
        return book

    def _known_book(self, underlying: str) -> Book:
        book = self._exchange.book(underlying)
        if book is None:
            raise ValueError(f"no snapshot of {underlying!r} was seen yet: on_chain comes first")
        return book

    def _batch(
        self,
        book: Book | None,
        time_ns: int,
        *,
        snapshot_id: str = "",
        provenance: common_pb2.Provenance.ValueType = common_pb2.PROVENANCE_UNSPECIFIED,
        trace_id: str = "",
    ) -> order_pb2.OrderBatch:
        changes = self.changes = self._blotter.take(book, time_ns, trace_id)
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
            pnl=changes.pnl,
        )


def denial_reason(decision: risk_pb2.RiskDecision) -> str:
    """The checks that failed, in words."""
    failed = [f"{check.name}: {check.message}" for check in decision.checks if not check.passed]
    return "; ".join(failed) or f"refused by risk ({decision.bound_by or 'no check named'})"


def _signal_order(signal: signal_pb2.Signal, book: Book, trace_id: str) -> order_pb2.Order:
    return order_pb2.Order(
        order_id=signal_order_id(signal.signal_id),
        signal_id=signal.signal_id,
        snapshot_id=book.snapshot_id,
        underlying=signal.underlying,
        legs=signal_legs(signal),
        type=order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=from_decimal(_ZERO),
        filled_quantity=from_decimal(_ZERO),
        average_price=from_decimal(_ZERO),
        trace_id=trace_id or signal.trace_id,
        provenance=signal.provenance,
    )


def _command_intent(
    order_id: str,
    underlying: str,
    legs: Sequence[order_pb2.OrderLeg],
    limit_price: common_pb2.Decimal,
    quantity: common_pb2.Decimal,
    book: Book,
    signal_id: str = "",
) -> risk_pb2.OrderIntent:
    return risk_pb2.OrderIntent(
        intent_id=order_id,
        signal_id=signal_id,
        snapshot_id=book.snapshot_id,
        underlying=underlying,
        time_ns=book.time_ns,
        legs=legs,
        limit_price=limit_price,
        quantity=quantity,
        multiplier=from_decimal(book.multiplier),
        currency=book.currency,
        provenance=book.provenance,
    )


def _new_terms(
    request: order_service_pb2.ReplaceOrderRequest, record: OrderRecord
) -> tuple[Decimal, Decimal]:
    """Units still to be filled, and the limit, of a replaced order."""
    order = record.order
    quantity = to_decimal(request.quantity if request.HasField("quantity") else order.quantity)
    limit = to_decimal(request.limit_price if request.HasField("limit_price") else order.limit_price)
    return quantity - to_decimal(order.filled_quantity), limit
