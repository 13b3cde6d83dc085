"""Prints what pyproject.toml says has to be installed: for the build as lines for pip, all else as remarks.

The build's requirements go into the environment once, so that `make build` works there and pip need not fetch
them again for an isolated build. The remarks tell make whether the packages have changed since the last time,
or only some tool's settings.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

if __name__ == "__main__":
    pyproject = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())
    print("\n".join(pyproject["build-system"]["requires"]))
    for table, content in (("project", pyproject["project"]), ("tool.hatch", pyproject["tool"]["hatch"])):
        print(f"# {table}: {json.dumps(content, sort_keys=True)}")
