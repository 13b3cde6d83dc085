"""Ids that follow from what they name, so that a repeat of the same input makes the same ids."""

from __future__ import annotations

import uuid
from typing import Final

_NAMESPACE: Final = uuid.UUID("5d5c7a86-26f6-5b3c-9d9c-2f6f0f6b8a01")
_SEPARATOR: Final = "\x1f"


def derive_id(*parts: str | int) -> str:
    """A UUID (version 5, as text) of `parts`: equal parts, equal id; ("ab", "c") and ("a", "bc") differ."""
    if not parts:
        raise ValueError("derive_id needs at least one part")
    return str(uuid.uuid5(_NAMESPACE, _SEPARATOR.join(str(part) for part in parts)))
