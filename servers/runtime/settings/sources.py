"""Where settings come from: TOML file, environment, flags. Each is read to a flat table."""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skewline.servers.runtime.settings.leaves import ENV_PREFIX, Leaf, leaves
from skewline.servers.runtime.settings.problem import SettingProblem, SettingsError, unknown
from skewline.servers.runtime.settings.url import MASK, mask

CONFIG_VARIABLE: Final = "SKEWLINE_CONFIG"
NONE: Final = "none"
_NOT_SETTINGS: Final = (CONFIG_VARIABLE, "SKEWLINE_ISA", "SKEWLINE_THREADS")
_NOT_SETTINGS_PREFIX: Final = "SKEWLINE_TEST_"


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a source gives for a leaf, and how to name that source to its owner."""

    value: object
    source: str


def from_flags(overrides: Sequence[str]) -> Mapping[str, Given]:
    """Values of `--set section.field=value`; raises SettingsError for anything else."""
    texts: dict[str, tuple[str, str]] = {}
    for override in overrides:
        path, equals, text = override.partition("=")
        path = path.strip()
        source = f"flag --set {_shown(path, override)}"
        if not equals:
            raise SettingsError([SettingProblem(path, source, None, "write it as section.field=value")])
        if path not in leaves():
            raise SettingsError([unknown(path, source, leaves())])
        texts[path] = (text, source)
    return _read_texts(texts)


def from_environment(environment: Mapping[str, str]) -> Mapping[str, Given]:
    """Values of `SKEWLINE_SECTION__FIELD`; raises SettingsError for unknown names."""
    by_variable = {leaf.variable: leaf for leaf in leaves().values()}
    texts: dict[str, tuple[str, str]] = {}
    problems: list[SettingProblem] = []
    for name, text in sorted(environment.items()):
        variable = name.upper()
        if not variable.startswith(ENV_PREFIX) or _is_other(variable) or not text:
            continue
        leaf = by_variable.get(variable)
        if leaf is None:
            problems.append(unknown(name, "environment", by_variable))
        else:
            texts[leaf.path] = (text, f"environment {name}")
    if problems:
        raise SettingsError(problems)
    return _read_texts(texts)


def from_file(path: Path) -> Mapping[str, Given]:
    """Values of a TOML file; raises SettingsError when it cannot be read or has unknown keys."""
    source = f"file {path}"
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; give a TOML file with --config"
        raise SettingsError([SettingProblem("config", source, None, reason)]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reason = f"is not TOML: {error}"
        raise SettingsError([SettingProblem("config", source, None, reason)]) from error
    given = {name: Given(value, source) for name, value in _flatten(tree, "")}
    strangers = [unknown(name, source, leaves()) for name in given if name not in leaves()]
    if strangers:
        raise SettingsError(strangers)
    return given


def current_environment() -> Mapping[str, str]:
    """The environment of this process."""
    return dict(os.environ)


def _shown(path: str, override: str) -> str:
    leaf = leaves().get(path)
    if leaf is None:
        # It may be a secret whose name was mistyped.
        return path
    return f"{path}={MASK}" if leaf.is_secret else mask(override)


def _is_other(variable: str) -> bool:
    return variable in _NOT_SETTINGS or variable.startswith(_NOT_SETTINGS_PREFIX)


def _flatten(tree: Mapping[str, object], above: str) -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        path = f"{above}{name}"
        if isinstance(value, dict) and path not in leaves():
            yield from _flatten(value, f"{path}.")
        else:
            yield path, value


def _read_texts(texts: Mapping[str, tuple[str, str]]) -> Mapping[str, Given]:
    return {path: Given(_read(leaves()[path], *given), given[1]) for path, given in texts.items()}


def _read(leaf: Leaf, text: str, source: str) -> object:
    if text == NONE:
        return None
    if not leaf.is_list:
        return text
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"must be a JSON list, such as [1, 2]. It is: {leaf.meaning}"
        problem = SettingProblem(leaf.path, source, repr(mask(text)), reason)
        raise SettingsError([problem]) from error
    return value
