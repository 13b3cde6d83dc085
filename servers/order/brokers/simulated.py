"""A simulated exchange: orders trade at the recorded quotes, never better and never beyond their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from skewline.servers.order.brokers.broker import (
    Acknowledged,
    Cancelled,
    CancelRejected,
    Execution,
    Expired,
    Rejected,
    Replaced,
    Report,
    Ticket,
)
from skewline.servers.order.brokers.matching import match
from skewline.servers.order.quotes import Book
from skewline.servers.order.session import session_end_ns
from skewline.v1 import order_pb2

_NOT_WORKING: Final = "the order does not work here any more"


class SimulatedExchange:
    """Works tickets in the order of their arrival against the newest snapshot of each underlying.

    A marketable order is filled at once, as far as the sizes go; what is left rests and is matched against
    each next snapshot. Quotes do not react to what is traded.
    """

    venue: Final = "simulated"

    def __init__(self) -> None:
        self._books: dict[str, Book] = {}
        self._tickets: dict[str, Ticket] = {}

    def book(self, underlying: str) -> Book | None:
        """Newest snapshot of `underlying`."""
        return self._books.get(underlying)

    def books(self) -> Sequence[Book]:
        """Newest snapshot of each underlying, by underlying."""
        return [self._books[underlying] for underlying in sorted(self._books)]

    def admit(self, ticket: Ticket) -> None:
        """Take back a ticket that was working before a restart, after those that came before it."""
        self._tickets[ticket.order_id] = ticket

    def show(self, book: Book) -> None:
        """Make `book` the newest snapshot without matching: a restart."""
        self._books[book.underlying] = book

    def on_book(self, book: Book) -> list[Report]:
        """Move to the next snapshot: end what is over, then match what works on its underlying."""
        self._books[book.underlying] = book
        reports: list[Report] = []
        for ticket in list(self._tickets.values()):
            ended = _ended(ticket, book.time_ns)
            if ended is not None:
                del self._tickets[ticket.order_id]
                reports.append(ended)
            elif ticket.underlying == book.underlying:
                reports.extend(self._match(ticket))
        return reports

    def submit(self, ticket: Ticket) -> Sequence[Report]:
        """Match at once; the rest works on, or is cancelled for an immediate-or-cancel order."""
        book = self._books.get(ticket.underlying)
        unknown = [
            leg.instrument_id
            for leg in ticket.legs
            if book is None or book.contract(leg.instrument_id) is None
        ]
        if unknown:
            return [Rejected(ticket.order_id, f"UNKNOWN_INSTRUMENT: {', '.join(unknown)}")]
        self._tickets[ticket.order_id] = ticket
        reports: list[Report] = [Acknowledged(ticket.order_id), *self._match(ticket)]
        if ticket.time_in_force == order_pb2.TIME_IN_FORCE_IOC and ticket.order_id in self._tickets:
            del self._tickets[ticket.order_id]
            reports.append(Cancelled(ticket.order_id, "IMMEDIATE_OR_CANCEL"))
        return reports

    def cancel(self, order_id: str, reason: str) -> Sequence[Report]:
        """Take the ticket out."""
        if self._tickets.pop(order_id, None) is None:
            return [CancelRejected(order_id, _NOT_WORKING)]
        return [Cancelled(order_id, reason)]

    def replace(self, order_id: str, quantity: int, limit_price: Decimal) -> Sequence[Report]:
        """Change the terms of the ticket and match it anew."""
        ticket = self._tickets.get(order_id)
        if ticket is None:
            return [CancelRejected(order_id, _NOT_WORKING)]
        changed = replace(ticket, quantity=quantity, limit_price=limit_price)
        self._tickets[order_id] = changed
        return [Replaced(order_id, quantity, limit_price), *self._match(changed)]

    def _match(self, ticket: Ticket) -> list[Execution]:
        execution = match(ticket, self._books[ticket.underlying])
        if execution is None:
            return []
        left = ticket.quantity - execution.units
        if left:
            self._tickets[ticket.order_id] = replace(ticket, quantity=left)
        else:
            del self._tickets[ticket.order_id]
        return [execution]


def _ended(ticket: Ticket, time_ns: int) -> Expired | None:
    if ticket.time_in_force == order_pb2.TIME_IN_FORCE_DAY and time_ns >= session_end_ns(ticket.created_ns):
        return Expired(ticket.order_id, "SESSION_END")
    if 0 < ticket.expiry_ns <= time_ns:
        return Expired(ticket.order_id, "CONTRACT_EXPIRED")
    return None
