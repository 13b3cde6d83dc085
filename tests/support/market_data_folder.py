"""Where the real market data and the published values lie; a machine that has only the project lacks them."""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

FOLDER = (_ROOT / os.environ.get("SKEWLINE_TEST_DATA", "../shared/data")).resolve()
MISSING = f"no market data at {FOLDER}: set SKEWLINE_TEST_DATA to its folder"
