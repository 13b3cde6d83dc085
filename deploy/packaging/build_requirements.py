"""Prints what pyproject.toml says the build needs, one a line, for `pip install -r`.

Installed into the environment once, so that `make build` works there and pip need not fetch it again for an
isolated build.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

if __name__ == "__main__":
    pyproject = Path(__file__).resolve().parents[2] / "pyproject.toml"
    print("\n".join(tomllib.loads(pyproject.read_text())["build-system"]["requires"]))
