"""Settings of the order service."""

from decimal import Decimal

from pydantic import Field

from skewline.servers.runtime.settings.section import Section


class OrderSettings(Section):
    """How orders are worked."""

    fee_per_contract: Decimal = Field(default=Decimal("0.65"), ge=0)
    """Commission per contract that the simulated exchange charges, in the account's currency."""

    index_option_fee: Decimal = Field(default=Decimal("0.66"), ge=0)
    """Exchange fee per contract of an option on an index, in the account's currency."""

    equity_option_fee: Decimal = Field(default=Decimal("0.05"), ge=0)
    """Exchange fee per contract of any other option, in the account's currency."""

    index_underlyings: tuple[str, ...] = ("DJX", "NDX", "RUT", "SPX", "VIX", "XSP")
    """Underlyings whose options pay the index option fee."""

    assumed_size: int = Field(default=10, ge=0)
    """Contracts that the simulated exchange takes a quote to be good for, where the source gives no sizes."""

    price_tick: Decimal = Field(default=Decimal("0.01"), gt=0)
    """Limit prices of manual orders must be whole multiples of it."""

    max_legs: int = Field(default=8, ge=1, le=64)
    """Legs of a manual order, at most."""

    risk_deadline_s: float = Field(default=15.0, gt=0)
    """Seconds until a question to the risk service is asked again on a new stream."""

    command_deadline_s: float = Field(default=30.0, gt=0)
    """Seconds that a manual command waits for the risk service; signals wait for as long as it takes."""

    withdraw_after_s: float = Field(default=10.0, ge=0)
    """Seconds that a caller who gave up waiting for the risk service has to send the command again, before
    what risk approved for it is given back."""

    chain_deadline_s: float = Field(default=5.0, gt=0)
    """Seconds until a question for a chain to the market data service is asked again."""

    cached_chains: int = Field(default=8, ge=1)
    """Newest chain snapshots kept in memory for the signal sets to come."""
