"""Finds what is wrong with a CSV file that the fast reader refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def first_fault(raw: bytes, needed: Sequence[str], numbers: Sequence[str]) -> str:
    """Where the first unusable field is, and the fix, as ", line …, column …: …"; empty if there is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return f", line {line}: is not UTF-8 text; save the file as UTF-8"
    rows = csv.reader(io.StringIO(text))
    names = next(rows, [])
    if missing := [name for name in needed if name not in names]:
        return f", line 1: column {', '.join(missing)} is missing; add it"
    places = [(name, names.index(name), name in numbers) for name in needed]
    for row in rows:
        if not row:
            continue
        if len(row) != len(names):
            return (
                f", line {rows.line_num}: has {len(row)} fields of {len(names)}; correct or remove the line"
            )
        for name, place, is_number in places:
            if not row[place]:
                return f", line {rows.line_num}, column {name}: is empty; fill it or remove the line"
            if is_number and not _is_number(row[place]):
                return f", line {rows.line_num}, column {name}: {row[place]!r} is not a number; correct it"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
