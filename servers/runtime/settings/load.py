"""Settings from flags, environment and file, in this order of precedence, then defaults."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from skewline.servers.runtime.settings import sources
from skewline.servers.runtime.settings.leaves import leaves
from skewline.servers.runtime.settings.problem import SettingProblem, SettingsError
from skewline.servers.runtime.settings.root import Settings
from skewline.servers.runtime.settings.sources import Given
from skewline.servers.runtime.settings.url import MASK, mask

CONFIG_NAME: Final = "skewline.toml"


def load_settings(
    config: Path | None = None,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of this process.

    `overrides` are `section.field=value` and win over environment variables
    `SKEWLINE_SECTION__FIELD`, which win over the TOML file (`config`, else `SKEWLINE_CONFIG`,
    else `<home>/skewline.toml` where there is one), which wins over defaults.
    `environment` stands in for this process's own. Raises SettingsError.
    """
    environment = sources.current_environment() if environment is None else environment
    flags = sources.from_flags(overrides)
    variables = sources.from_environment(environment)
    file = _file(config, environment, {**variables, **flags})
    given: dict[str, Given] = {**file, **variables, **flags}
    try:
        settings = Settings(**_nest(given))
    except ValidationError as error:
        raise SettingsError(_problem(detail, given) for detail in error.errors()) from error
    settings._origins.update({path: value.source for path, value in given.items()})
    return settings


def _file(
    config: Path | None, environment: Mapping[str, str], given: Mapping[str, Given]
) -> Mapping[str, Given]:
    named = environment.get(sources.CONFIG_VARIABLE)
    if config is not None:
        return sources.from_file(config)
    if named:
        return sources.from_file(Path(named))
    home = given["home"].value if "home" in given else Settings.model_fields["home"].default
    usual = Path(str(home)).expanduser() / CONFIG_NAME
    return sources.from_file(usual) if usual.exists() else {}


def _nest(given: Mapping[str, Given]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in given.items():
        *above, name = path.split(".")
        table = tree
        for section in above:
            table = table.setdefault(section, {})
        table[name] = value.value
    return tree


def _problem(detail: ErrorDetails, given: Mapping[str, Given]) -> SettingProblem:
    loc = [str(part) for part in detail["loc"]]
    path = next((p for n in range(len(loc), 0, -1) if (p := ".".join(loc[:n])) in leaves()), ".".join(loc))
    meaning = leaves()[path].meaning if path in leaves() else ""
    under = [value.source for name, value in given.items() if name.startswith(f"{path}.")]
    source = given[path].source if path in given else " and ".join(under) or "default"
    reason = detail["msg"].removeprefix("Value error, ")
    value = _shown(path, detail["input"]) if path in given else None
    return SettingProblem(path, source, value, f"{reason}. It is: {meaning}" if meaning else reason)


def _shown(path: str, value: object) -> str:
    return MASK if path in leaves() and leaves()[path].is_secret else repr(mask(str(value)))
