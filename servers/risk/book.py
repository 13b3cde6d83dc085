"""What risk holds: positions from fills, and exposure reserved for orders that may still fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from skewline.servers.risk.option import Option, osi_option
from skewline.servers.runtime.corporate_actions import adjusted
from skewline.servers.runtime.decimals import to_decimal
from skewline.v1 import common_pb2, corporate_action_pb2, order_pb2, risk_pb2

_ZERO: Final = Decimal(0)
_FINAL: Final = (
    order_pb2.ORDER_STATUS_DENIED,
    order_pb2.ORDER_STATUS_FILLED,
    order_pb2.ORDER_STATUS_CANCELLED,
    order_pb2.ORDER_STATUS_REJECTED,
    order_pb2.ORDER_STATUS_EXPIRED,
)


@dataclass(slots=True)
class HeldPosition:
    """Contracts held of one instrument, negative when short.

    `last_price` is the newest model value per unit of underlying, the fill's price before there is one: it
    stands in for the value while no surface can price the position.
    """

    instrument_id: str
    underlying: str
    multiplier: Decimal
    quantity: Decimal
    last_price: float


@dataclass(frozen=True, slots=True)
class Reservation:
    """Exposure of an approved order that is not final; `quantity` is the units still to be filled."""

    order_id: str
    underlying: str
    legs: tuple[order_pb2.OrderLeg, ...]
    multiplier: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Exposure:
    """Signed contracts of one instrument, and quantity times multiplier."""

    instrument_id: str
    option: Option | None
    contracts: float
    weight: float


@dataclass(slots=True)
class RiskBook:
    """Positions and reservations, and the net cash that all fills brought (currency, after fees).

    `natives` are the options ever traded under exchange-native ids: such an id says nothing, and a later
    surface does not quote what has moved into the money. `actions` are the corporate actions that positions
    were adjusted for, by id, in the order of their effect.
    """

    positions: dict[str, HeldPosition] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    cash: Decimal = _ZERO
    natives: dict[str, Option] = field(default_factory=dict)
    actions: dict[str, corporate_action_pb2.CorporateAction] = field(default_factory=dict)

    def option(self, instrument_id: str) -> Option | None:
        """The option of an id; None for a native one that was never traded."""
        return osi_option(instrument_id) or self.natives.get(instrument_id)

    def learn(self, options: Iterable[Option | None]) -> None:
        """Remember what exchange-native ids among these mean."""
        for option in options:
            if option is not None and osi_option(option.instrument_id) is None:
                self.natives[option.instrument_id] = option

    def fill(self, fill: order_pb2.Fill) -> None:
        """Take one execution."""
        side, quantity = leg_sign(fill.side), to_decimal(fill.quantity)
        price, multiplier = to_decimal(fill.price), to_decimal(fill.multiplier)
        self.cash -= side * quantity * price * multiplier + to_decimal(fill.fee)
        traded = HeldPosition(fill.instrument_id, fill.underlying, multiplier, side * quantity, float(price))
        # Its batch may come after the first surface on which a split is in effect.
        for action in self.actions.values():
            if fill.time_ns < action.effective_ns:
                traded = adjusted_position(traded, action) or traded
        self._add(traded)

    def adjust(self, action: corporate_action_pb2.CorporateAction) -> list[str]:
        """Turn what is held of the action's underlying into the contracts after it; the instruments changed.

        Reservations for these end: orders in contracts that are no more are cancelled.
        """
        self.actions[action.action_id] = action
        found = [(held, adjusted_position(held, action)) for held in self.open()]
        made = [(held, after) for held, after in found if after is not None]
        # All at once: what one becomes may be held too, and become a third.
        for held, _ in made:
            held.quantity = _ZERO
        for _, after in made:
            self._add(after)
        changed = [each.instrument_id for pair in made for each in pair]
        for order_id, reservation in list(self.reservations.items()):
            if reservation.underlying == action.underlying:
                del self.reservations[order_id]
        return changed

    def is_before_action(self, underlying: str, time_ns: int) -> bool:
        """Whether `time_ns` lies before an action that positions of `underlying` were adjusted for."""
        return any(a.underlying == underlying and time_ns < a.effective_ns for a in self.actions.values())

    def _add(self, traded: HeldPosition) -> None:
        held = self.positions.get(traded.instrument_id)
        if held is None or not held.quantity:
            self.positions[traded.instrument_id] = traded
        else:
            held.quantity += traded.quantity

    def reserve(self, intent: risk_pb2.OrderIntent, quantity: Decimal) -> None:
        """Hold the exposure of an approved intent; one of the same id (a replaced order) is superseded."""
        self.reservations[intent.intent_id] = Reservation(
            intent.intent_id, intent.underlying, tuple(intent.legs), to_decimal(intent.multiplier), quantity
        )

    def order(self, order: order_pb2.Order) -> None:
        """Release what an order no longer needs."""
        held = self.reservations.get(order.order_id)
        if held is None:
            return
        left = to_decimal(order.quantity) - to_decimal(order.filled_quantity)
        if order.status in _FINAL or left <= 0:
            del self.reservations[order.order_id]
        else:
            self.reservations[order.order_id] = Reservation(
                held.order_id, held.underlying, held.legs, held.multiplier, left
            )

    def settle_prices(self, prices: Mapping[str, float]) -> None:
        """Remember the newest model prices, by instrument."""
        for instrument_id, price in prices.items():
            self.positions[instrument_id].last_price = price

    def open(self) -> list[HeldPosition]:
        """Positions with a quantity, by instrument."""
        return [held for _, held in sorted(self.positions.items()) if held.quantity]

    def underlyings(self) -> list[str]:
        """Underlyings with open positions or reservations, by name."""
        held = {position.underlying for position in self.open()}
        return sorted(held.union(r.underlying for r in self.reservations.values()))

    def exposures(self, underlying: str, without: str = "") -> list[Exposure]:
        """Positions plus all that is reserved (but for the order `without`) as if filled, by instrument."""
        held: dict[str, tuple[Decimal, Decimal]] = {
            p.instrument_id: (p.quantity, p.multiplier) for p in self.open() if p.underlying == underlying
        }
        for reservation in self.reservations.values():
            if reservation.underlying != underlying or reservation.order_id == without:
                continue
            for leg in reservation.legs:
                before, multiplier = held.get(leg.instrument_id, (_ZERO, reservation.multiplier))
                more = leg_sign(leg.side) * leg.ratio * reservation.quantity
                held[leg.instrument_id] = (before + more, multiplier)
        return [
            Exposure(name, self.option(name), float(quantity), float(quantity * multiplier))
            for name, (quantity, multiplier) in sorted(held.items())
            if quantity
        ]


def restored(
    positions: Iterable[HeldPosition],
    reservations: Iterable[Reservation],
    cash: Decimal,
    natives: Iterable[Option],
    actions: Iterable[corporate_action_pb2.CorporateAction],
) -> RiskBook:
    """The book as it was stored."""
    return RiskBook(
        {position.instrument_id: position for position in positions},
        {reservation.order_id: reservation for reservation in reservations},
        cash,
        {option.instrument_id: option for option in natives},
        {action.action_id: action for action in actions},
    )


def adjusted_position(
    held: HeldPosition, action: corporate_action_pb2.CorporateAction
) -> HeldPosition | None:
    """What `action` makes of a position; None if that does not concern it."""
    after = adjusted(action, held.instrument_id, held.underlying, held.multiplier)
    if after is None:
        return None
    units = float(held.multiplier / (after.multiplier * after.contracts))
    return HeldPosition(
        after.instrument_id,
        after.underlying,
        after.multiplier,
        held.quantity * after.contracts,
        held.last_price * units,
    )


def leg_sign(side: common_pb2.Side.ValueType) -> int:
    """+1 for a buy, -1 for a sell."""
    return 1 if side == common_pb2.SIDE_BUY else -1


def unit_exposures(
    legs: Sequence[order_pb2.OrderLeg], options: Sequence[Option | None], multiplier: float
) -> list[Exposure]:
    """What one unit of a structure adds; `options` are those of its legs."""
    signed = [float(leg_sign(leg.side) * leg.ratio) for leg in legs]
    return [
        Exposure(leg.instrument_id, option, contracts, contracts * multiplier)
        for leg, option, contracts in zip(legs, options, signed, strict=True)
    ]
