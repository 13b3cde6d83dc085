"""`skewline kill` and `resume`: the kill switch."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import stack_command
from skewline.clients.cli.terminal import Terminal

if TYPE_CHECKING:
    from skewline.v1 import risk_pb2

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(kill)
    app.command()(resume)


@stack_command
def kill(terminal: Terminal, reason: Reason) -> None:
    """Halt trading: every intent is refused, working orders are cancelled."""
    _show(terminal, terminal.client.risk.halt_trading(reason, changed_by=user()))


@stack_command
def resume(terminal: Terminal, reason: Reason) -> None:
    """Let trading go on."""
    _show(terminal, terminal.client.risk.resume_trading(reason, changed_by=user()))


def user() -> str:
    """Who works at this terminal, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "cli"


def _show(terminal: Terminal, state: risk_pb2.RiskState) -> None:
    if terminal.as_json:
        terminal.json(state)
    else:
        from skewline.clients.cli.risk_tables import state_text

        terminal.show(state_text(state))
