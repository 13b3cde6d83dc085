"""Limits of a single order, and of the number of orders."""

from __future__ import annotations

from typing import Final

from skewline.servers.risk.checks.check import UNBOUNDED, Basis, Standing, Trade
from skewline.v1 import risk_pb2


class MaxOrderQuantity:
    """Units of one order."""

    name: Final = "MAX_ORDER_QUANTITY"
    needs: Final = Basis.PRICE

    def headroom(self, _trade: Trade, standing: Standing) -> float:
        """The limit itself."""
        return standing.limits.max_order_quantity

    def evaluate(self, _trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Compares the units."""
        limit = standing.limits.max_order_quantity
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=units <= limit,
            limit=limit,
            value=units,
            unit="units",
            message="" if units <= limit else f"{units:g} units are more than {limit:g}; order fewer",
        )


class MaxOrderNotional:
    """Premium of one order, over its legs."""

    name: Final = "MAX_ORDER_NOTIONAL"
    needs: Final = Basis.PRICE

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """Units whose premium fits."""
        if trade.notional <= 0:
            return UNBOUNDED
        return standing.limits.max_order_notional / trade.notional

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Compares the premium."""
        limit, value = standing.limits.max_order_notional, units * trade.notional
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=value <= limit,
            limit=limit,
            value=value,
            unit="currency",
            message="" if value <= limit else f"premium {value:,.0f} is more than {limit:,.0f}",
        )


class MaxOrdersPerSnapshot:
    """Orders approved for one snapshot."""

    name: Final = "MAX_ORDERS_PER_SNAPSHOT"
    needs: Final = Basis.INTENT

    def headroom(self, _trade: Trade, _standing: Standing) -> float:
        """A count of orders does not bound their size."""
        return UNBOUNDED

    def evaluate(self, _trade: Trade, standing: Standing, _units: float) -> risk_pb2.RiskCheck:
        """Compares the count with this one."""
        limit, value = standing.limits.max_orders_per_snapshot, float(standing.approved + 1)
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=value <= limit,
            limit=limit,
            value=value,
            unit="orders",
            message="" if value <= limit else f"{limit:g} are approved for this snapshot; wait for the next",
        )
