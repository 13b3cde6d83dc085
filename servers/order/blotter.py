"""The blotter: every order that can still change, what happens to it, and the ledger that its fills go to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from skewline.servers.order import state_machine as states
from skewline.servers.order.adjustment import adjustment_of, conversion_of
from skewline.servers.order.brokers.broker import (
    Acknowledged,
    Cancelled,
    CancelRejected,
    Execution,
    Expired,
    Rejected,
    Replaced,
    Report,
    Undetermined,
)
from skewline.servers.order.fees import FeeSchedule
from skewline.servers.order.history import Changes, History
from skewline.servers.order.ledger import Holding, Ledger
from skewline.servers.order.quotes import Book, Contract
from skewline.servers.order.record import OrderRecord, signed
from skewline.servers.order.settlement import Settlement
from skewline.servers.runtime.decimals import from_decimal, to_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import common_pb2, corporate_action_pb2, order_pb2

_ZERO: Final = Decimal(0)


class Blotter:
    """Books orders, steps and executions. It decides nothing: the engine, risk and the broker do."""

    def __init__(self, fees: FeeSchedule) -> None:
        self._fees = fees
        self._records: dict[str, OrderRecord] = {}
        self._known: set[str] = set()
        self._count = 0
        self._history = History()
        self.ledger = Ledger()

    def restore(
        self, records: Iterable[OrderRecord], known: Iterable[str], count: int, holdings: Iterable[Holding]
    ) -> None:
        """Go on from these: orders not final, by number, all order ids and their count, all holdings."""
        self._records = {record.order.order_id: record for record in records}
        self._known = set(known)
        self._count = count
        self._history = History()
        self.ledger = Ledger(holdings)

    def knows(self, order_id: str) -> bool:
        """Whether there ever was such an order."""
        return order_id in self._known

    def get(self, order_id: str) -> OrderRecord | None:
        """The order, if it is not final, or became so since the last batch."""
        return self._records.get(order_id) or self._history.records.get(order_id)

    def live(self) -> list[OrderRecord]:
        """Orders that are not final, by number."""
        return list(self._records.values())

    def initialise(self, order: order_pb2.Order, time_ns: int, expiry_ns: int = 0) -> OrderRecord:
        """Enter a new order."""
        self._count += 1
        record = OrderRecord(order, self._count, expiry_ns=expiry_ns)
        self._records[order.order_id] = record
        self._known.add(order.order_id)
        self.step(record, states.ON_INITIALISED, time_ns)
        return record

    def step(self, record: OrderRecord, event: states.EventType, time_ns: int, reason: str = "") -> int:
        """Let `event` happen to the order; returns its sequence. Raises IllegalTransition."""
        self._history.add(record, record.step(event, time_ns, reason))
        if record.is_final:
            self._records.pop(record.order.order_id, None)
        return record.sequence

    def apply(self, reports: Iterable[Report], book: Book | None, time_ns: int) -> None:
        """Book what a broker reported; executions against `book`."""
        for report in reports:
            record = self._records[report.order_id]
            match report:
                case Acknowledged():
                    self.step(record, states.ON_ACKNOWLEDGED, time_ns)
                case Rejected(reason=reason):
                    self.step(record, states.ON_REJECTED, time_ns, reason)
                case Undetermined(reason=reason):
                    # It may be working: calling it rejected would free risk that is still taken.
                    record.order.reason = reason
                    self._history.records[report.order_id] = record
                case Execution():
                    self._execute(record, report, book, time_ns)
                case Cancelled(reason=reason):
                    self.step(record, states.ON_CANCELLED, time_ns, reason)
                case CancelRejected(reason=reason):
                    self.step(record, states.ON_CANCEL_REJECTED, time_ns, reason)
                case Replaced(quantity=quantity, limit_price=limit):
                    filled = to_decimal(record.order.filled_quantity)
                    record.order.quantity.CopyFrom(from_decimal(filled + quantity))
                    record.order.limit_price.CopyFrom(from_decimal(limit))
                    self.step(record, states.ON_REPLACED, time_ns)
                case Expired(reason=reason):
                    self.step(record, states.ON_EXPIRED, time_ns, reason)

    def adjust(self, action: corporate_action_pb2.CorporateAction, book: Book) -> None:
        """Turn what is held of the action's underlying into the contracts after it."""
        found = [conversion_of(holding, action) for holding in self.ledger.open()]
        conversions = [each for each in found if each is not None]
        self._history.adjustments += [adjustment_of(each, action, book) for each in conversions]
        self.ledger.convert(conversions)

    def settle(self, settlement: Settlement, book: Book) -> None:
        """Close an expired holding at its intrinsic value, as an order and a fill of its own."""
        contract = settlement.holding.contract
        held = settlement.holding.quantity
        side = common_pb2.SIDE_SELL if held > 0 else common_pb2.SIDE_BUY
        order = order_pb2.Order(
            order_id=derive_id("order", "settlement", contract.instrument_id, book.snapshot_id),
            snapshot_id=book.snapshot_id,
            underlying=book.underlying,
            legs=[order_pb2.OrderLeg(instrument_id=contract.instrument_id, side=side, ratio=1)],
            type=order_pb2.ORDER_TYPE_MARKET,
            time_in_force=order_pb2.TIME_IN_FORCE_IOC,
            quantity=from_decimal(abs(held)),
            limit_price=from_decimal(settlement.value),
            reason=f"CASH_SETTLEMENT at {settlement.value} with the underlying at {settlement.spot}",
            provenance=settlement.holding.provenance,
        )
        record = self.initialise(order, book.time_ns, contract.expiry_ns)
        # The exchange settles, whatever risk thinks of it.
        self.step(record, states.ON_APPROVED, book.time_ns)
        self.step(record, states.ON_ACKNOWLEDGED, book.time_ns)
        record.fill(abs(held), settlement.value)
        sequence = self.step(record, states.ON_FILL, book.time_ns)
        self._fill_leg(record, sequence, 0, contract, abs(held), settlement.value, _ZERO, book, book.time_ns)

    def moved_to(self, book: Book) -> None:
        """Note that `book` is the newest snapshot of its underlying."""
        self._history.book = book

    def take(self, book: Book | None, time_ns: int, trace_id: str = "") -> Changes:
        """Everything since the last call, with holdings marked at `book`.

        Orders and fills that no signal or command caused (settlements) get `trace_id`.
        """
        if book is not None:
            self.ledger.mark(book)
        history, self._history = self._history, History()
        for record in history.records.values():
            record.order.trace_id = record.order.trace_id or trace_id
        for fill in history.fills:
            fill.trace_id = fill.trace_id or trace_id
        return Changes(
            records=list(history.records.values()),
            events=history.events,
            fills=history.fills,
            adjustments=history.adjustments,
            holdings=self.ledger.take_changed(),
            pnl=self.ledger.pnl(time_ns),
            book=history.book,
        )

    def _execute(self, record: OrderRecord, execution: Execution, book: Book | None, time_ns: int) -> None:
        if book is None or book.snapshot_id != execution.snapshot_id:
            raise ValueError(f"executed against {execution.snapshot_id}, which is not the newest book")
        units = Decimal(execution.units)
        event = states.ON_FILL if units == record.remaining else states.ON_PARTIAL_FILL
        record.fill(units, _net(record.order.legs, execution.prices))
        sequence = self.step(record, event, time_ns)
        for index, (leg, price) in enumerate(zip(record.order.legs, execution.prices, strict=True)):
            contract = book.contract(leg.instrument_id)
            if contract is None:
                raise ValueError(f"executed {leg.instrument_id}, which {book.snapshot_id} does not have")
            contracts = units * leg.ratio
            fee = self._fees.fee(contract.underlying, contracts)
            self._fill_leg(record, sequence, index, contract, contracts, price, fee, book, time_ns)

    def _fill_leg(
        self,
        record: OrderRecord,
        sequence: int,
        index: int,
        contract: Contract,
        contracts: Decimal,
        price: Decimal,
        fee: Decimal,
        book: Book,
        time_ns: int,
    ) -> None:
        order, side = record.order, record.order.legs[index].side
        self.ledger.record(
            contract, signed(side, contracts), price, fee, time_ns=time_ns, provenance=book.provenance
        )
        self._history.fills.append(
            order_pb2.Fill(
                fill_id=derive_id("fill", order.order_id, sequence, index),
                order_id=order.order_id,
                signal_id=order.signal_id,
                snapshot_id=book.snapshot_id,
                underlying=order.underlying,
                instrument_id=contract.instrument_id,
                side=side,
                quantity=from_decimal(contracts),
                price=from_decimal(price),
                fee=from_decimal(fee),
                multiplier=from_decimal(contract.multiplier),
                time_ns=time_ns,
                trace_id=order.trace_id,
                provenance=book.provenance,
                currency=contract.currency,
            )
        )


def _net(legs: Sequence[order_pb2.OrderLeg], prices: tuple[Decimal, ...]) -> Decimal:
    return sum((signed(leg.side, leg.ratio * price) for leg, price in zip(legs, prices, strict=True)), _ZERO)
