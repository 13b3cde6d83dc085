from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the source tree."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def packaging(repository: Path) -> Path:
    """The build's own scripts."""
    return repository / "deploy" / "packaging"
