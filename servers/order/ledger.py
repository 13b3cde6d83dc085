"""Positions and profit and loss, exact: every fill and settlement goes through here.

Average cost. For each holding `realised - cost` is the cash that its fills brought, to the last digit, so
that realised plus unrealised profit is always cash plus market value, whatever was rounded between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from skewline.servers.order.quotes import Book, Contract
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.provenance import Provenance, least_real
from skewline.v1 import common_pb2, order_pb2

_ZERO: Final = Decimal(0)
_NANO: Final = Decimal("1e-9")


@dataclass(slots=True)
class Holding:
    """What is held of one contract. Money in the contract's currency, prices per unit of underlying.

    `number` is its place among all holdings, by first trade. `provenance` is that of its fills,
    `mark_provenance` that of the mark.
    """

    contract: Contract
    provenance: Provenance
    number: int
    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO
    mark: Decimal = _ZERO
    mark_ns: int = 0
    mark_provenance: Provenance = common_pb2.PROVENANCE_UNSPECIFIED

    @property
    def value_provenance(self) -> Provenance:
        """Of the profit and loss: of the fills, and of the mark where there is something to mark."""
        return least_real((self.provenance, self.mark_provenance)) if self.quantity else self.provenance

    @property
    def market_value(self) -> Decimal:
        """Value at the mark, negative when short."""
        return (self.quantity * self.contract.multiplier * self.mark).quantize(_NANO)

    def trade(self, signed: Decimal, price: Decimal) -> None:
        """Buy (positive) or sell (negative) contracts at `price`; may cross through zero."""
        closing = _opposite(self.quantity, signed)
        if closing:
            whole = closing == -self.quantity
            released = self.cost if whole else (self.cost * closing / -self.quantity).quantize(_NANO)
            self.realised += self._amount(-closing, price) - released
            self.cost -= released
        self.cost += self._amount(signed - closing, price)
        self.quantity += signed

    def message(self) -> order_pb2.Position:
        """As the contract's message; its derived figures are worked out here."""
        held = self.quantity * self.contract.multiplier
        value = self.market_value
        return order_pb2.Position(
            instrument_id=self.contract.instrument_id,
            underlying=self.contract.underlying,
            quantity=from_decimal(self.quantity),
            average_price=from_decimal((self.cost / held).quantize(_NANO) if held else _ZERO),
            cost=from_decimal(self.cost),
            mark=from_decimal(self.mark),
            market_value=from_decimal(value),
            realised_pnl=from_decimal(self.realised),
            unrealised_pnl=from_decimal(value - self.cost),
            fees=from_decimal(self.fees),
            multiplier=from_decimal(self.contract.multiplier),
            mark_ns=self.mark_ns,
            provenance=self.value_provenance,
            currency=self.contract.currency,
        )

    def _amount(self, contracts: Decimal, price: Decimal) -> Decimal:
        return (contracts * self.contract.multiplier * price).quantize(_NANO)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a holding becomes: `contracts` of `contract` for each of its own."""

    holding: Holding
    contract: Contract
    contracts: Decimal


@dataclass(slots=True)
class _Totals:
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO
    provenance: Provenance = common_pb2.PROVENANCE_UNSPECIFIED


class Ledger:
    """All holdings by instrument, and what those of each currency earned and cost."""

    def __init__(self, holdings: Iterable[Holding] = ()) -> None:
        self._holdings = {holding.contract.instrument_id: holding for holding in holdings}
        self._totals: dict[str, _Totals] = {}
        self._changed: dict[str, Holding] = {}
        for holding in self._holdings.values():
            totals = self._totals.setdefault(holding.contract.currency, _Totals())
            totals.realised += holding.realised
            totals.fees += holding.fees
            totals.provenance = least_real((totals.provenance, holding.provenance))

    def get(self, instrument_id: str) -> Holding | None:
        """The holding, open or closed; None if there never was one."""
        return self._holdings.get(instrument_id)

    def open(self) -> Iterator[Holding]:
        """Holdings with a quantity, in the order in which they were first traded."""
        return (holding for holding in self._holdings.values() if holding.quantity)

    def record(
        self,
        contract: Contract,
        signed: Decimal,
        price: Decimal,
        fee: Decimal,
        *,
        time_ns: int,
        provenance: Provenance,
    ) -> Holding:
        """Book one execution: `signed` contracts (negative sold) at `price`, with its fee."""
        name = contract.instrument_id
        holding = self._holdings.get(name)
        if holding is None:
            holding = self._holdings[name] = Holding(contract, provenance, len(self._holdings) + 1)
        totals = self._totals.setdefault(contract.currency, _Totals())
        totals.realised -= holding.realised
        holding.trade(signed, price)
        holding.fees += fee
        totals.realised += holding.realised
        totals.fees += fee
        holding.provenance = least_real((holding.provenance, provenance))
        totals.provenance = least_real((totals.provenance, provenance))
        holding.mark, holding.mark_ns, holding.mark_provenance = price, time_ns, provenance
        self._changed[name] = holding
        return holding

    def convert(self, conversions: Sequence[Conversion]) -> None:
        """Turn holdings into others, all at once: what one becomes may be held too, and become a third.

        Cost goes along to the last digit, and no cash changes hands; what was realised stays where it was.
        """
        taken = [replace(each.holding) for each in conversions]
        for each in conversions:
            each.holding.quantity = each.holding.cost = _ZERO
            self._changed[each.holding.contract.instrument_id] = each.holding
        for before, each in zip(taken, conversions, strict=True):
            self._receive(before, each.contract, each.contracts)

    def mark(self, book: Book) -> None:
        """Mark open holdings of the book's underlying at its mids; one without a quote keeps its mark."""
        for holding in self.open():
            if holding.contract.underlying != book.underlying:
                continue
            quote = book.quote(holding.contract.instrument_id)
            if quote is not None and quote.mid is not None:
                holding.mark, holding.mark_ns = quote.mid, book.time_ns
                holding.mark_provenance = book.provenance
                self._changed[holding.contract.instrument_id] = holding

    def pnl(self, time_ns: int) -> list[order_pb2.Pnl]:
        """Profit and loss now, one a currency ever traded, by currency."""
        unrealised = dict.fromkeys(self._totals, _ZERO)
        provenance = {currency: totals.provenance for currency, totals in self._totals.items()}
        for holding in self.open():
            currency = holding.contract.currency
            unrealised[currency] += holding.market_value - holding.cost
            provenance[currency] = least_real((provenance[currency], holding.mark_provenance))
        return [
            order_pb2.Pnl(
                currency=currency,
                realised=from_decimal(totals.realised),
                unrealised=from_decimal(unrealised[currency]),
                fees=from_decimal(totals.fees),
                net=from_decimal(totals.realised + unrealised[currency] - totals.fees),
                time_ns=time_ns,
                provenance=provenance[currency],
            )
            for currency, totals in sorted(self._totals.items())
        ]

    def take_changed(self) -> list[Holding]:
        """Holdings changed since the last call, in the order of their first change."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def _receive(self, before: Holding, contract: Contract, contracts: Decimal) -> None:
        name = contract.instrument_id
        after = self._holdings.get(name)
        if after is None:
            after = self._holdings[name] = Holding(contract, before.provenance, len(self._holdings) + 1)
        after.contract = contract
        after.quantity += before.quantity * contracts
        after.cost += before.cost
        if not after.quantity:
            # Two holdings that offset each other: what is left of their cost is a profit or loss.
            self._totals[contract.currency].realised -= after.cost
            after.realised, after.cost = after.realised - after.cost, _ZERO
        after.provenance = least_real((after.provenance, before.provenance))
        mark = before.mark * before.contract.multiplier / (contract.multiplier * contracts)
        after.mark, after.mark_ns = mark.quantize(_NANO), before.mark_ns
        after.mark_provenance = before.mark_provenance
        self._changed[name] = after


def _opposite(held: Decimal, signed: Decimal) -> Decimal:
    """The part of `signed` that reduces what is held; zero when it adds to it."""
    if held * signed >= 0:
        return _ZERO
    return signed if abs(signed) <= abs(held) else -held
