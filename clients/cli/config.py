"""`skewline config`: the settings in force, and where each comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from skewline.clients.cli.command import USAGE, Home, Json, fail


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(config)


def config(
    file: Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="May be repeated.")
    ] = None,
    section: Annotated[str, typer.Option(help="Only settings whose name begins so.")] = "",
    home: Home = None,
    json_output: Json = False,
) -> None:
    """Each setting with its value, its source and its meaning; secrets masked."""
    from skewline.servers.runtime.settings import SettingsError, describe, load_settings

    given = [*([] if home is None else [f"home={home}"]), *(override or ())]
    try:
        rows = [row for row in describe(load_settings(file, given)) if row.field.startswith(section)]
    except (SettingsError, OSError) as error:
        fail(str(error), USAGE)
    if json_output:
        for row in rows:
            print(json.dumps({"field": row.field, "value": row.value, "source": row.source}))
        return
    from skewline.clients.cli.tables import table
    from skewline.clients.cli.terminal import Terminal

    with Terminal(home, (), as_json=False) as terminal:
        columns = ["setting", "value", "source", "meaning"]
        terminal.show(table("", columns, [[row.field, row.value, row.source, row.meaning] for row in rows]))
