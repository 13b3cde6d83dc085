"""Enum values as people type them."""

from __future__ import annotations

from typing import Any

from skewline.clients.cli.wording import word
from skewline.clients.errors import bad_input


def value_of(enum: Any, option: str, text: str) -> Any:
    """The value of `enum` that `text` says, such as `partially-filled`. Raises SkewlineError."""
    numbers = [number for number in enum.values() if number]
    known = {word(enum, number): number for number in numbers}
    wanted = text.lower().replace("-", " ").replace("_", " ").strip()
    if wanted not in known:
        choices = ", ".join(name.replace(" ", "-") for name in known)
        raise bad_input(option, f"must be one of {choices}, not {text!r}")
    return known[wanted]
