"""The command line of a benchmark: which groups to measure, and where to write them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench_table import print_table, write_json
from table_row import Rows

#: By the name on the command line: the title in the table, and what yields the rows.
Groups = Mapping[str, tuple[str, Callable[[], Rows]]]


def run(about: str, method: str, groups: Groups) -> None:
    """Measure the groups asked for, say each row as it is done, and print the table.

    `method` says in a sentence how the numbers came about.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0] if about else "")
    parser.add_argument("--only", action="append", choices=groups, help="one group (may be given again)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")
    arguments = parser.parse_args()
    start = time.perf_counter()
    measured = []
    for key in arguments.only or groups:
        title, rows = groups[key]
        found = []
        for row in rows():
            found.append(row)
            print(f"{time.perf_counter() - start:5.0f} s  {title}: {row.work}", file=sys.stderr, flush=True)
        measured.append((title, found))
    print_table(measured, method)
    if arguments.json:
        write_json(arguments.json, measured)
