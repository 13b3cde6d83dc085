"""Tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich import box
from rich.table import Table
from rich.text import Text

Cell: TypeAlias = str | Text


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """A table; a column named `>x` has the header x and is set to the right."""
    shown = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        shown.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    return shown


def facts(title: str, pairs: Iterable[tuple[str, Cell]]) -> Table:
    """Names and values, one a line."""
    shown = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False
    )
    shown.add_column(style="dim")
    shown.add_column(overflow="fold")
    for name, value in pairs:
        shown.add_row(name, value)
    return shown
