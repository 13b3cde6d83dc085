"""How the fit tells an observer what it is doing, without knowing who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

Note: TypeAlias = Callable[[str, float], None]
"""Records one figure of a step: its name and value."""

Steps: TypeAlias = Callable[[str], AbstractContextManager[Note]]
"""Opens the step of that name, such as "calibration.sabr", and yields where to note its figures."""


@contextmanager
def unobserved(name: str) -> Iterator[Note]:
    """Nobody watches."""
    yield _forget


def _forget(name: str, value: float) -> None:
    """Drop the figure."""
