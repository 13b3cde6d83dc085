"""Enum values, choices and times as people type them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from skewline.clients.cli.wording import word
from skewline.clients.errors import bad_input

Choice = TypeVar("Choice")


def one_of(choices: Mapping[str, Choice], option: str, text: str) -> Choice:
    """What `text` names. Raises SkewlineError."""
    if text.lower() not in choices:
        raise bad_input(option, f"must be one of {', '.join(choices)}, not {text!r}")
    return choices[text.lower()]


def instant_of(option: str, text: str) -> datetime | int:
    """A time as ISO 8601 says it, UTC where it names no zone; 0 for no text. Raises SkewlineError."""
    if not text:
        return 0
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise bad_input(option, f"must be a time such as 2019-05-10T19:00 (UTC), not {text!r}") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def value_of(enum: Any, option: str, text: str) -> Any:
    """The value of `enum` that `text` says, such as `partially-filled`. Raises SkewlineError."""
    numbers = [number for number in enum.values() if number]
    known = {word(enum, number): number for number in numbers}
    wanted = text.lower().replace("-", " ").replace("_", " ").strip()
    if wanted not in known:
        choices = ", ".join(name.replace(" ", "-") for name in known)
        raise bad_input(option, f"must be one of {choices}, not {text!r}")
    return known[wanted]
