"""`skewline version`."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version as installed

import typer

from skewline.clients.cli.command import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)


def version(json_output: Json = False) -> None:
    """The version of Skewline and of Python."""
    skewline, python = installed("skewline"), platform.python_version()
    if json_output:
        print(json.dumps({"skewline": skewline, "python": python}))
    else:
        print(f"skewline {skewline} (Python {python})")
