"""Every instruction-set level gives the same prices and volatilities of options with cash dividends."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skewline.cyext import american_dividends as cash
from skewline.cyext import isa
from skewline.cyext._isa import levels

STRIKE = np.array([80.0, 95.0, 100.0, 104.0, 120.0])
CALL = STRIKE < 101.0


def numbers() -> dict[str, np.ndarray]:
    """Of both ways to solve a step: with one boundary of exercise, and with any set."""
    dividends = cash.Dividends([0.1, 0.35], [1.0, 1.5])
    found: dict[str, np.ndarray] = {}
    for name, q in (("one boundary", 0.01), ("any set", -0.03)):
        option = (100.0, STRIKE, 0.5, 0.02, q)
        price = cash.price(CALL, *option, 0.25, dividends=dividends)
        vol = cash.implied_vol(CALL, price, *option, dividends=dividends)
        found |= {f"price, {name}": price, f"vol, {name}": vol}
    return found


@pytest.mark.parametrize("level", [level for level in levels() if level != isa()])
def test_levels_agree(level: str, tmp_path: Path) -> None:
    code = (
        "import importlib.util, sys, numpy as np\n"
        "spec = importlib.util.spec_from_file_location('numbers', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "np.savez(sys.argv[2], **module.numbers())\n"
    )
    target = tmp_path / "theirs.npz"
    done = subprocess.run(
        [sys.executable, "-c", code, __file__, str(target)],
        env={**os.environ, "SKEWLINE_ISA": level},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = np.load(target)
    for name, ours in numbers().items():
        assert theirs[name] == pytest.approx(ours, rel=1e-12 if name.startswith("price") else 1e-11), name
