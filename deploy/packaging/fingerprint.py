"""What a generated file was made from, so that it is made again only when that has changed.

Contents, not times: a fresh checkout or a touched file must not cost a compile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(sources: Iterable[Path], *settings: str) -> str:
    """SHA-256 over the sources' names and contents and over the settings (flags, versions of the tools)."""
    digest = hashlib.sha256("\0".join(settings).encode())
    for source in sorted(sources):
        content = source.read_bytes()
        digest.update(f"\0{source.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_current(stamp: Path, value: str, products: Iterable[Path]) -> bool:
    """Whether the stamp holds `value` and every product is still there."""
    return stamp.is_file() and stamp.read_text() == value and all(product.is_file() for product in products)


def record(stamp: Path, value: str) -> None:
    """Remember `value` for the next build."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(value)
