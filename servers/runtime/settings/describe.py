"""The settings, printable: every value and where it came from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from skewline.servers.runtime.settings.leaves import leaves
from skewline.servers.runtime.settings.root import Settings
from skewline.servers.runtime.settings.sources import NONE
from skewline.servers.runtime.settings.url import MASK, mask


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting: dotted path, value as text with secrets masked, source, meaning."""

    field: str
    value: str
    source: str
    meaning: str


def describe(settings: Settings) -> tuple[SettingRow, ...]:
    """Every setting in the order of declaration."""
    return tuple(
        SettingRow(
            field=leaf.path,
            value=_shown(value_at(settings, leaf.path)),
            source=settings._origins.get(leaf.path, "default"),
            meaning=leaf.meaning,
        )
        for leaf in leaves().values()
    )


def as_environment(settings: Settings) -> Mapping[str, str]:
    """Environment variables from which another process loads the same settings.

    Secrets are in clear: for the environment of a child process, not for printing.
    """
    return {leaf.variable: _text(value_at(settings, leaf.path)) for leaf in leaves().values()}


def value_at(settings: Settings, path: str) -> object:
    """The value at a dotted path."""
    value: object = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _shown(value: object) -> str:
    return MASK if isinstance(value, SecretStr) else mask(_text(value))


def _text(value: object) -> str:
    match value:
        case None:
            return NONE
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()
        case tuple() | list() | dict():
            return json.dumps(value, default=str)
        case _:
            return str(value)
