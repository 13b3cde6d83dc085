"""Settings of the order service."""

from decimal import Decimal

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class OrderSettings(Section):
    """How orders are worked."""

    fee_per_contract: Decimal = Field(default=Decimal("0.65"), ge=0)
    """Commission per contract that the simulated exchange charges, in the account's currency."""
