"""Prints how fast and how accurate the kernels are beside the best that a user finds elsewhere.

Run by `make bench`, or alone: `python tests/benchmarks/kernels.py --only heston --json heston.json`. Every
number is measured in this run: ours and the peer's in turns, so that the ratio means something anywhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "kernels"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "table"))

import american_rows
import black_rows
import book_rows
import dividend_rows
import goog_rows
import heston_rows
import heston_start_rows
import ou_rows
import portfolio_rows
import record_rows
import sabr_rows
import spx_rows
import surface_rows
import svi_rows
import thread_rows
from bench_run import run

GROUPS = {
    "black": ("Black-76", black_rows.rows),
    "sabr": ("SABR", sabr_rows.rows),
    "svi": ("SVI", svi_rows.rows),
    "heston": ("Heston", heston_rows.rows),
    "starts": ("Heston from random starts", heston_start_rows.rows),
    "american": ("American options", american_rows.rows),
    "dividends": ("American options, cash dividends", dividend_rows.rows),
    "ou": ("Ornstein–Uhlenbeck", ou_rows.rows),
    "portfolio": ("Portfolio in scenarios", portfolio_rows.rows),
    "book": ("Order book", book_rows.rows),
    "spx": ("SPX chain of a day", spx_rows.rows),
    "surfaces": ("Market smiles of SPX, 25 days", surface_rows.rows),
    "record": ("Surfaces of SPX as the service fits them, 25 days", record_rows.rows),
    "goog": ("GOOG chain of a day", goog_rows.rows),
    "threads": ("Two threads over one", thread_rows.rows),
}


_METHOD = (
    "Shortest of many runs, ours and the peer's in turns; one thread's own processor time. "
    "Two threads over one: the middle of many turns, of those in which the machine gave two whole processors."
)

if __name__ == "__main__":
    run(__doc__ or "", _METHOD, GROUPS)
