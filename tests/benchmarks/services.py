"""Prints how much the services take and pass on: real processes, a real bus, real databases.

Run by `make bench`, or alone: `python tests/benchmarks/services.py --only ingest`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "kernels"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "services"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "table"))

import calibration_rows
import fan_out_rows
import ingest_rows
import order_book_rows
from bench_run import run

GROUPS = {
    "ingest": ("Quotes in", ingest_rows.rows),
    "book": ("Order books", order_book_rows.rows),
    "fan-out": ("Quotes out, summed over the subscribers", fan_out_rows.rows),
    "calibration": ("Chain to surface", calibration_rows.rows),
}


_METHOD = "By the wall's clock; the service, its client, the bus and the database share this machine."

if __name__ == "__main__":
    run(__doc__ or "", _METHOD, GROUPS)
