"""What a corporate action makes of a holding."""

from __future__ import annotations

from dataclasses import replace

from skewline.servers.order.ledger import Holding, Ledger
from skewline.servers.order.quotes import Book
from skewline.servers.runtime.corporate_actions import adjusted, in_words
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import corporate_action_pb2


def adjust_holding(
    ledger: Ledger, holding: Holding, action: corporate_action_pb2.CorporateAction, book: Book
) -> corporate_action_pb2.ContractAdjustment | None:
    """Convert `holding` at the first snapshot after `action`; None if that does not concern it."""
    before = holding.contract
    found = adjusted(action, before.instrument_id, before.underlying, before.multiplier)
    if found is None:
        return None
    quantity, cost = holding.quantity, holding.cost
    after = replace(
        before,
        instrument_id=found.instrument_id,
        underlying=found.underlying,
        strike=found.strike,
        multiplier=found.multiplier,
    )
    ledger.convert(holding, after, found.contracts)
    return corporate_action_pb2.ContractAdjustment(
        adjustment_id=derive_id("adjustment", action.action_id, before.instrument_id),
        action_id=action.action_id,
        underlying=after.underlying,
        from_instrument_id=before.instrument_id,
        to_instrument_id=after.instrument_id,
        from_quantity=from_decimal(quantity),
        to_quantity=from_decimal(quantity * found.contracts),
        from_strike=from_decimal(before.strike),
        to_strike=from_decimal(after.strike),
        from_multiplier=from_decimal(before.multiplier),
        to_multiplier=from_decimal(after.multiplier),
        cost=from_decimal(cost),
        currency=before.currency,
        time_ns=book.time_ns,
        snapshot_id=book.snapshot_id,
        reason=in_words(action),
    )
