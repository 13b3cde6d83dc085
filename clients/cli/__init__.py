"""The `skewline` command: each module registers its commands; what is heavy they import when they run."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import typer

from skewline.clients.cli.command import shared_options

_COMMANDS: Final = (
    "up",
    "demo",
    "backtest",
    "data",
    "collect",
    "status",
    "feeds",
    "chain",
    "book",
    "volatility",
    "quarantine",
    "surface",
    "signals",
    "orders",
    "holdings",
    "actions",
    "risk",
    "kill",
    "trace",
    "watch",
    "config",
    "version",
)


def build() -> typer.Typer:
    """The command with all its subcommands."""
    app = typer.Typer(
        name="skewline",
        help="Turns option quotes into risk-checked trades.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(shared_options)
    for name in _COMMANDS:
        import_module(f"skewline.clients.cli.{name}").register(app)
    return app


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 not reachable."""
    build()(args=sys.argv[1:], prog_name="skewline")
