"""Prints how fast and how accurate the kernels are beside the best that a user finds elsewhere.

Run by `make bench`, or alone: `python tests/benchmarks/kernels.py --only heston --json heston.json`. Every
number is measured in this run: ours and the peer's in turns, so that the ratio means something anywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "kernels"))

import american_rows
import black_rows
import book_rows
import dividend_rows
import goog_rows
import heston_rows
import heston_start_rows
import ou_rows
import portfolio_rows
import sabr_rows
import spx_rows
import surface_rows
import thread_rows
from bench_table import print_table, write_json

GROUPS = {
    "black": ("Black-76", black_rows.rows),
    "sabr": ("SABR", sabr_rows.rows),
    "heston": ("Heston", heston_rows.rows),
    "starts": ("Heston from random starts", heston_start_rows.rows),
    "american": ("American options", american_rows.rows),
    "dividends": ("American options, cash dividends", dividend_rows.rows),
    "ou": ("Ornstein–Uhlenbeck", ou_rows.rows),
    "portfolio": ("Portfolio in scenarios", portfolio_rows.rows),
    "book": ("Order book", book_rows.rows),
    "spx": ("SPX chain of a day", spx_rows.rows),
    "surfaces": ("Market smiles of SPX, 25 days", surface_rows.rows),
    "goog": ("GOOG chain of a day", goog_rows.rows),
    "threads": ("Two threads over one", thread_rows.rows),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group (may be given again)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there too")
    arguments = parser.parse_args()
    start = time.perf_counter()
    measured = []
    for key in arguments.only or GROUPS:
        title, rows = GROUPS[key]
        found = []
        for row in rows():
            found.append(row)
            print(f"{time.perf_counter() - start:5.0f} s  {title}: {row.work}", file=sys.stderr, flush=True)
        measured.append((title, found))
    print_table(measured)
    if arguments.json:
        write_json(arguments.json, measured)


if __name__ == "__main__":
    main()
