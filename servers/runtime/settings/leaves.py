"""The settings as a flat table: one leaf a value that can be set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from skewline.servers.runtime.settings.root import Settings

ENV_PREFIX: Final = "SKEWLINE_"
ENV_DELIMITER: Final = "__"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value that can be set: dotted path, environment variable, meaning.

    `is_list` is written as JSON; `is_secret` is never shown.
    """

    path: str
    variable: str
    meaning: str
    is_list: bool
    is_secret: bool


@cache
def leaves() -> Mapping[str, Leaf]:
    """Every leaf by dotted path, in the order in which the settings declare them."""
    return MappingProxyType({leaf.path: leaf for leaf in _walk(Settings, ())})


def _variable(path: str) -> str:
    return ENV_PREFIX + path.replace(".", ENV_DELIMITER).upper()


def _walk(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        section = _section_of(field)
        if section is not None:
            yield from _walk(section, path)
        else:
            dotted = ".".join(path)
            is_list = get_origin(field.annotation) in (tuple, list)
            meaning = field.description or ""
            yield Leaf(dotted, _variable(dotted), meaning, is_list, _is_secret(field.annotation))


def _is_secret(kind: object) -> bool:
    return kind is SecretStr or any(map(_is_secret, get_args(kind)))


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
