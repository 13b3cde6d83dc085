"""Portfolio, limits and kill switch as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.text import Text

from skewline.clients.cli.tables import facts, table
from skewline.clients.cli.wording import number, percent, plain_number, provenance, time_text, word
from skewline.v1 import risk_pb2

if TYPE_CHECKING:
    from rich.table import Table

_GREEK_UNITS: Final = (
    "currency: delta per 1.00 of underlying, gamma of delta per 1.00, vega per 1.00 of vol, theta per day, "
    "rho per 1.00 of rate, vanna of delta and volga of vega per 1.00 of vol, charm of delta per day"
)
LIMIT_UNITS: Final = {
    "max_order_quantity": "units an order",
    "max_order_notional": "currency an order",
    "max_position": "contracts an instrument",
    "max_delta": "currency an underlying: delta times spot",
    "max_gamma": "currency an underlying: change of that for a move of 1 %",
    "max_vega": "currency an underlying, per 0.01 of vol",
    "max_theta": "currency a day",
    "max_value_at_risk": "currency, 99 % over one day",
    "max_orders_per_snapshot": "orders",
    "max_price_deviation": "quoted spreads from the model value",
    "min_confidence": "of a signal, 0 to 1",
    "kelly_scale": "share of the full Kelly size, 0 to 1",
    "capital": "currency",
    "max_drawdown": "currency below the highest equity",
}
"""Unit of each limit, by its name in the contract."""


def state_text(state: risk_pb2.RiskState) -> Text:
    """The kill switch on a line."""
    halted = state.state == risk_pb2.TRADING_STATE_HALTED
    text = Text("Trading is ")
    text.append(word(risk_pb2.TradingState, state.state).upper(), "bold red" if halted else "bold green")
    if state.reason or state.changed_by:
        text.append(f": {state.reason} ({state.changed_by}, {time_text(state.time_ns)})")
    return text


def portfolio_facts(portfolio: risk_pb2.PortfolioSnapshot) -> Table:
    """What the portfolio is as a whole."""
    return facts(
        "Portfolio",
        [
            ("time", time_text(portfolio.time_ns)),
            ("provenance", provenance(portfolio.provenance)),
            ("equity at model value", number(portfolio.equity)),
            ("positions", f"{portfolio.positions}, of which {portfolio.unpriced_positions} without a price"),
            ("snapshot", portfolio.snapshot_id),
        ],
    )


def greeks_table(portfolio: risk_pb2.PortfolioSnapshot) -> Table:
    """Greeks of each underlying and of all; units as in the contract."""
    names = [field.name for field in risk_pb2.Greeks.DESCRIPTOR.fields]
    rows = [(of.underlying, of.greeks, str(of.positions), number(of.spot)) for of in portfolio.underlyings]
    rows.append(("all", portfolio.greeks, str(portfolio.positions), ""))
    shown = table(
        "Greeks",
        ["underlying", ">positions", ">spot", *(f">{name.replace('_', ' ')}" for name in names)],
        [
            [name, positions, spot, *(number(getattr(greeks, field)) for field in names)]
            for name, greeks, positions, spot in rows
        ],
    )
    shown.caption, shown.caption_justify = _GREEK_UNITS, "left"
    return shown


def value_at_risk_table(values: Iterable[risk_pb2.ValueAtRisk]) -> Table:
    """Value at risk, one line a confidence level."""
    return table(
        "Value at risk",
        [">confidence", ">trading days", ">value at risk", ">expected shortfall", ">scenarios"],
        [
            [
                percent(value.confidence, 1),
                number(value.horizon_days, 1),
                number(value.value_at_risk),
                number(value.expected_shortfall),
                str(value.scenarios),
            ]
            for value in values
        ],
    )


def limits_table(limits: risk_pb2.RiskLimits) -> Table:
    """Limits in force, by the names that `set-limit` takes."""
    return table(
        "Limits",
        ["limit", ">value", "unit"],
        [[name, plain_number(getattr(limits, name)), unit] for name, unit in LIMIT_UNITS.items()],
    )
