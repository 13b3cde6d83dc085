"""The table in the terminal, and the same as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from table_row import Row, Unit

from skewline.cyext import isa

_WIDTH_OF_A_FILE = 220
#: A larger spread than this is shown.
_NOISY = 0.3
#: From this load on something else wants the second processor.
_BUSY = 1.5
_PEERS = ("numpy", "scipy", "numba", "lbriv", "QuantLib", "order-book")
_FORMS = {Unit.GAIN: "{:.2f}×", Unit.STARTS: "{:.0f}", Unit.RATE: "{:,.0f}/s"}
_COLOURS = {"goal": "green", "floor": "yellow", "missed": "red"}


def in_words(value: float | None, unit: Unit = Unit.SECONDS) -> str:
    """A number with a fitting unit."""
    if value is None:
        return "–"
    if unit is not Unit.SECONDS:
        return _FORMS[unit].format(value)
    for name, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def versions() -> dict[str, str]:
    """The packages that take part; "" where one is not installed."""
    found = {}
    for name in _PEERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def processor() -> str:
    """Its name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def print_table(groups: Sequence[tuple[str, Sequence[Row]]], method: str) -> None:
    """All rows, how they were measured, and what falls short."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE, highlight=False)
    peers = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions().items())
    console.print(f"\n{processor()}, {os.cpu_count()} processors; instruction set {isa()}")
    console.print(f"Python {platform.python_version()}, {peers}")
    console.print(method)
    load = os.getloadavg()[0]
    busy = "; others are at work: rows of two threads say little" if load > _BUSY else ""
    console.print(f"Load {load:.1f}{busy}.\n")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("work", "Skewline", "peer", "its time", "ratio", "accuracy"):
        table.add_column(name, justify="right" if name in ("Skewline", "its time", "ratio") else "left")
    for name in ("ISA", "threads", "floor", "goal", "met"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, rows in groups:
        table.add_row(f"[bold]{name}")
        for row in rows:
            table.add_row(*_cells(row))
    console.print(table)
    for row in (row for _, rows in groups for row in rows if row.spread > _NOISY and row.ours is not None):
        console.print(f"noisy: {row.work}: the run in the middle took {row.spread:.0%} longer than the best")
    missed = [row for _, rows in groups for row in rows if row.verdict == "missed"]
    for row in missed:
        console.print(f"[red]missed[/]: {row.work}: {in_words(row.ours, row.unit)}, {row.accuracy}")


def _cells(row: Row) -> tuple[str, ...]:
    if row.ours is None:
        return (f"  {row.work}", "–", row.peer, "–", "–", row.reason)
    ratio = "–" if row.ratio is None else f"{row.ratio:.1f}×"
    verdict = f"[{_COLOURS[row.verdict]}]{row.verdict}[/]" if row.verdict else ""
    return (
        *(f"  {row.work}", in_words(row.ours, row.unit), row.peer, in_words(row.peer_time), ratio),
        *(row.accuracy, row.isa, str(row.threads), in_words(row.floor, row.unit)),
        *(in_words(row.goal, row.unit), verdict),
    )


def write_json(path: Path, groups: Sequence[tuple[str, Sequence[Row]]]) -> None:
    """Everything that the table says, in plain units."""
    rows = [
        {"group": name, **dataclasses.asdict(row), "ratio": row.ratio, "met": row.verdict}
        for name, each in groups
        for row in each
    ]
    machine = {"processor": processor(), "python": platform.python_version(), "isa": isa(), **versions()}
    path.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n", encoding="utf-8")
