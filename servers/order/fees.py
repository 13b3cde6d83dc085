"""What a fill costs: commission and the exchange's fee, exact to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from skewline.servers.runtime.settings.order import OrderSettings

_CENT: Final = Decimal("0.01")


class FeeSchedule:
    """Fees per contract by kind of underlying, from the settings."""

    def __init__(self, settings: OrderSettings) -> None:
        index = settings.fee_per_contract + settings.index_option_fee
        self._per_contract = dict.fromkeys(settings.index_underlyings, index)
        self._otherwise = settings.fee_per_contract + settings.equity_option_fee

    def fee(self, underlying: str, contracts: Decimal) -> Decimal:
        """Fee of one fill of `contracts`, in the account's currency, rounded half up to the cent."""
        per_contract = self._per_contract.get(underlying, self._otherwise)
        return (per_contract * contracts).quantize(_CENT, ROUND_HALF_UP)
