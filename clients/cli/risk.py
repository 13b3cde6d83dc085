"""`skewline risk`: portfolio, limits and state."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(risk)
    group.command()(set_limit)
    app.add_typer(group, name="risk")


@stack_command
def risk(terminal: Terminal) -> None:
    """Greeks, value at risk, limits, and whether trading is allowed."""
    service = terminal.client.risk
    portfolio, limits, state = service.get_portfolio(), service.get_limits(), service.get_state()
    if terminal.as_json:
        terminal.json({"portfolio": portfolio, "limits": limits, "state": state})
        return
    from skewline.clients.cli.risk_tables import (
        greeks_table,
        limits_table,
        portfolio_facts,
        state_text,
        value_at_risk_table,
    )

    terminal.show(
        state_text(state),
        portfolio_facts(portfolio),
        greeks_table(portfolio),
        value_at_risk_table(portfolio.value_at_risk),
        limits_table(limits),
    )


@stack_command
def set_limit(
    terminal: Terminal,
    changes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="Such as max_vega=5000.")],
) -> None:
    """Change limits; those not named stay."""
    from skewline.clients.cli.kill import user
    from skewline.clients.cli.risk_tables import limits_table
    from skewline.clients.errors import bad_input
    from skewline.v1 import risk_pb2

    names = [field.name for field in risk_pb2.RiskLimits.DESCRIPTOR.fields]
    values: dict[str, float] = {}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in names:
            raise bad_input("limit", f"{name!r} is none of {', '.join(names)}")
        try:
            values[name] = float(text)
        except ValueError:
            raise bad_input(name, f"must be a number, not {text!r}") from None
        if not math.isfinite(values[name]):
            raise bad_input(name, f"must be a finite number, not {text!r}")
    limits = terminal.client.risk.get_limits()
    for name, value in values.items():
        setattr(limits, name, value)
    limits = terminal.client.risk.set_limits(limits, changed_by=user())
    if terminal.as_json:
        terminal.json(limits)
    else:
        terminal.show(limits_table(limits))
