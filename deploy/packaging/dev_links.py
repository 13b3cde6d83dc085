"""Lays the folders out under build/dev/ as they are in the wheel, by links.

An editable install puts build/dev/ on the import path, so that Python, type checkers and Cython's `cimport`
all find `skewline.servers` in servers/ and so on, without an import hook that tools cannot follow.
"""

from __future__ import annotations

import os
from pathlib import Path

# name inside the package -> place in the repository
LAYOUT = {
    "__init__.py": "proto/skewline/__init__.py",
    "py.typed": "proto/skewline/py.typed",
    "v1": "proto/skewline/v1",
    "cyext": "cyext",
    "storage": "storage",
    "servers": "servers",
    "clients": "clients",
}


def lay_links(root: Path) -> Path:
    """Make build/dev/skewline what LAYOUT says, touching only what differs; return build/dev."""
    dev = root / "build" / "dev"
    package = dev / "skewline"
    package.mkdir(parents=True, exist_ok=True)
    wanted = {name: os.path.relpath(root / place, package) for name, place in LAYOUT.items()}
    for link in package.iterdir():
        if link.is_symlink() and wanted.get(link.name) != str(link.readlink()):
            link.unlink()
    for name, target in wanted.items():
        if not (package / name).is_symlink():
            (package / name).symlink_to(target)
    return dev
