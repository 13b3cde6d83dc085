"""Settings of the risk service."""

from decimal import Decimal

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class RiskSettings(Section):
    """Capital and limits."""

    capital: Decimal = Field(default=Decimal(1000000), gt=0)
    """Capital that positions are sized against, in the account's currency."""
