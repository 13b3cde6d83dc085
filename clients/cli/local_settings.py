"""Settings of a stack that a command starts on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skewline.clients.cli.command import USAGE, Shared, fail

if TYPE_CHECKING:
    from skewline.servers.runtime.settings import Settings

HomeFolder = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Folder of databases, traces and logs.", show_default="SKEWLINE_HOME, or ~/.skewline"
    ),
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="TOML file of settings.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="One setting; may be repeated."),
]


def local_settings(
    context: typer.Context, home: Path | None, config: Path | None, overrides: Sequence[str]
) -> Settings:
    """The settings; where they cannot be used, ends the command with each setting and its fix."""
    from skewline.servers.runtime.settings import SettingsError, load_settings

    home = home or (context.find_object(Shared) or Shared()).home
    given = [*overrides, *([f"home={home}"] if home is not None else [])]
    try:
        return load_settings(config, given)
    except SettingsError as error:
        fail("; ".join(str(problem) for problem in error.problems), USAGE)


def settings_at(run: Path, base: Settings, config: Path | None, overrides: Sequence[str]) -> Settings:
    """The same settings for a folder of its own, with a bus of its own unless one is given by --set."""
    from skewline.servers.runtime.settings import load_settings

    usual = base.home / "skewline.toml"
    if config is None and "SKEWLINE_CONFIG" not in os.environ and usual.exists():
        config = usual
    own_bus = [] if any(text.startswith("bus.url=") for text in overrides) else ["bus.url=none"]
    return load_settings(config, [*own_bus, *overrides, f"home={run}"])
