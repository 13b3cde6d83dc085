"""Draws the bars of deploy/docs/kernels.svg: how many times faster than the best alternative each kernel is.

`python tests/benchmarks/kernels.py --json FILE`, then `python tests/benchmarks/picture.py FILE`.
"""

from __future__ import annotations

import json
import math
import re
import sys
from html import escape
from pathlib import Path
from typing import Any

_PICTURE = Path(__file__).resolve().parents[2] / "deploy" / "docs" / "kernels.svg"
_WIDTH, _LEFT, _ROW, _TOP = 860, 400, 26, 34
_INK, _BAR = "#767676", "#2a78b8"


def bars(rows: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """(group and work, peer, ratio); of several peers of a work the fastest."""
    best: dict[str, tuple[str, float]] = {}
    for row in rows:
        if row["ratio"] is None or row["floor"] is None:
            continue
        work = f"{row['group']}: {row['work']}"
        # What stands in brackets are accuracies and remarks.
        peer = re.sub(r" \(.*\)$", "", row["peer"])
        if work not in best or row["ratio"] < best[work][1]:
            best[work] = (peer, row["ratio"])
    return [(re.sub(r" \(.*\)$", "", work), peer, ratio) for work, (peer, ratio) in best.items()]


def drawn(found: list[tuple[str, str, float]], machine: dict[str, str]) -> str:
    """The picture as SVG; lengths are logarithms."""
    height = _TOP + _ROW * len(found) + 12
    unit = (_WIDTH - _LEFT - 250) / math.log10(max(ratio for _, _, ratio in found) * 1.05)
    title = f"Times faster, one thread, {machine['processor']}, instruction set {machine['isa']}"
    style = f'font-family="sans-serif" font-size="12" fill="{_INK}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {style}>',
        f'<text x="8" y="18" font-size="13" font-weight="bold">{escape(title)} (logarithmic)</text>',
    ]
    for place, (work, peer, ratio) in enumerate(found):
        y = _TOP + _ROW * place
        length = max(unit * math.log10(max(ratio, 1.0)), 1.0)
        lines += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(work)}</text>',
            f'<rect x="{_LEFT}" y="{y + 2}" width="{length:.1f}" height="{_ROW - 9}" fill="{_BAR}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{y + 14}">{ratio:.3g}× {escape(peer)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    table = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _PICTURE.write_text(drawn(bars(table["rows"]), table["machine"]), encoding="utf-8")
