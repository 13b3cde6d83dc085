"""What came of a command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """Exit status and texts."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """Its standard output, an object a line."""
        return [json.loads(line) for line in self.out.splitlines()]
