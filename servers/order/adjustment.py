"""What a corporate action makes of a holding."""

from __future__ import annotations

from dataclasses import replace

from skewline.servers.order.ledger import Conversion, Holding
from skewline.servers.order.quotes import Book
from skewline.servers.runtime.corporate_actions import adjusted, in_words
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import corporate_action_pb2


def conversion_of(holding: Holding, action: corporate_action_pb2.CorporateAction) -> Conversion | None:
    """What `action` makes of `holding`; None if that does not concern it."""
    before = holding.contract
    found = adjusted(action, before.instrument_id, before.underlying, before.multiplier)
    if found is None:
        return None
    after = replace(
        before,
        instrument_id=found.instrument_id,
        underlying=found.underlying,
        strike=found.strike,
        multiplier=found.multiplier,
    )
    return Conversion(holding, after, found.contracts)


def adjustment_of(
    conversion: Conversion, action: corporate_action_pb2.CorporateAction, book: Book
) -> corporate_action_pb2.ContractAdjustment:
    """The ledger's entry for a conversion that is yet to be made, at the first snapshot after `action`."""
    holding, after = conversion.holding, conversion.contract
    before = holding.contract
    return corporate_action_pb2.ContractAdjustment(
        adjustment_id=derive_id("adjustment", action.action_id, before.instrument_id),
        action_id=action.action_id,
        underlying=after.underlying,
        from_instrument_id=before.instrument_id,
        to_instrument_id=after.instrument_id,
        from_quantity=from_decimal(holding.quantity),
        to_quantity=from_decimal(holding.quantity * conversion.contracts),
        from_strike=from_decimal(before.strike),
        to_strike=from_decimal(after.strike),
        from_multiplier=from_decimal(before.multiplier),
        to_multiplier=from_decimal(after.multiplier),
        cost=from_decimal(holding.cost),
        currency=before.currency,
        time_ns=book.time_ns,
        snapshot_id=book.snapshot_id,
        reason=in_words(action),
    )
