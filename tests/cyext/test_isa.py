"""The instruction-set levels: which is chosen; each passes the accuracy suite with the same numbers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skewline.cyext import black, heston, isa
from skewline.cyext._isa import levels

# Patterns, so that a file which is split stays in; the oracles' own tests need no second run.
SUITE = [
    *("test_black_*.py", "test_implied_vol.py", "test_portfolio.py", "test_ou.py", "test_sabr*.py"),
    "test_variance_smile.py",
    *(
        "test_heston_price.py",
        "test_heston_calibrate.py",
        "test_american.py",
        "test_american_[!d]*.py",
        "test_published_values.py",
    ),
    *("properties/test_exact_*.py", "properties/test_lanes.py"),
]
OTHERS = [level for level in levels() if level != isa()]


def run(level: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SKEWLINE_ISA": level}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def test_the_highest_level_is_taken_unless_another_is_asked_for() -> None:
    code = "from skewline.cyext import isa; print(isa())"
    assert run("", "-c", code).stdout.strip() == levels()[-1]
    for level in levels():
        assert run(level, "-c", code).stdout.strip() == level


def test_a_level_that_is_none_is_refused() -> None:
    done = run("v9", "-c", "import skewline.cyext")
    assert done.returncode != 0
    assert "SKEWLINE_ISA='v9' is no level; the levels are portable, v2, v3, v4" in done.stderr


@pytest.mark.skipif("v4" in levels(), reason="this processor has every level")
def test_a_level_that_the_processor_lacks_is_refused() -> None:
    done = run("v4", "-c", "import skewline.cyext")
    assert done.returncode != 0
    assert f"SKEWLINE_ISA=v4: this processor or build has only {', '.join(levels())}" in done.stderr


@pytest.mark.parametrize("level", OTHERS)
def test_every_level_passes_the_accuracy_suite(level: str) -> None:
    files = [str(file) for pattern in SUITE for file in Path(__file__).parent.glob(pattern)]
    done = run(level, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not oracle", *files)
    assert done.returncode == 0, done.stdout[-4000:]


def heston_numbers() -> dict[str, np.ndarray]:
    """Prices, exact to a share of the forward, and the optimum of a surface, which is found to 1e-6."""
    rng = np.random.default_rng(13)
    expiry = np.repeat([1 / 365, 0.05, 0.5, 2.0], 50)
    strike = 100.0 * np.exp(rng.normal(size=expiry.size) * 0.5 * np.sqrt(expiry))
    is_call = strike > 100.0
    price = heston.price(
        is_call, 100.0, strike, expiry, 1.0, v0=0.02, kappa=5.0, theta=0.03, sigma=1.2, rho=-0.75
    )
    vols = 0.2 - 0.1 * np.log(strike / 100.0) + 0.01 * rng.standard_normal(expiry.size)
    found = heston.calibrate(100.0, strike, expiry, vols).parameters
    return {
        "heston": price,
        "heston scale": np.full(price.shape, 100.0),
        "heston fit": found,
        "heston fit scale": 1e6 * np.abs(found),
    }


def numbers() -> dict[str, np.ndarray]:
    """Price, Greeks and vols of options up to 30 standard deviations from the money, some of them bad."""
    rng = np.random.default_rng(11)
    n = 20_011
    expiry, vol = 10 ** rng.uniform(-3, 1, n), 10 ** rng.uniform(-2, 0.5, n)
    s = vol * np.sqrt(expiry)
    strike = 100.0 * np.exp(np.clip(rng.uniform(-30, 30, n) * s * rng.uniform(0, 1, n), -20, 20))
    discount = np.exp(-rng.uniform(-0.02, 0.1, n) * expiry)
    is_call = rng.uniform(size=n) < 0.5
    vol[::97], expiry[::89], strike[::83] = np.nan, 0.0, -1.0
    g = black.greeks(is_call, 100.0, strike, expiry, discount, vol)
    density, root = g.vega / (100.0 * np.sqrt(expiry)), np.sqrt(expiry)
    rate = np.abs(np.log(discount)) / expiry
    wide = 1.0 + np.abs(np.log(100.0 / strike)) / s + s
    # a sum of terms that cancel is as exact as the terms are
    terms = {
        "theta": (rate * g.price + 50 * density * vol / root) / 365,
        "vanna": density * wide / vol,
        "volga": g.vega * wide**2 / vol,
        "charm": (rate * np.abs(g.delta) + density * wide / expiry) / 365,
    }
    result = {}
    for name in ("price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm"):
        value = getattr(g, name)
        result[name] = value
        result[f"{name} scale"] = np.maximum(np.abs(value), np.nan_to_num(terms.get(name, 0.0)))
    otm = is_call == (strike > 100.0)
    found = black.implied_vol_with_status(
        is_call[otm], g.price[otm], 100.0, strike[otm], expiry[otm], discount[otm]
    )
    return {**heston_numbers(), **result, "vol": found.vol, "vol scale": found.vol, "status": found.status}


@pytest.mark.parametrize("level", OTHERS)
def test_levels_agree(level: str, tmp_path: Path) -> None:
    code = (
        "import importlib.util, sys, numpy as np\n"
        "spec = importlib.util.spec_from_file_location('numbers', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "with np.errstate(all='ignore'):\n"
        "    np.savez(sys.argv[2], **module.numbers())\n"
    )
    done = run(level, "-c", code, __file__, str(tmp_path / "theirs.npz"))
    assert done.returncode == 0, done.stderr
    with np.errstate(all="ignore"):
        ours = numbers()
    theirs = np.load(tmp_path / "theirs.npz")
    assert np.array_equal(ours["status"], theirs["status"])
    for name in [key for key in ours if f"{key} scale" in ours]:
        assert np.array_equal(np.isnan(ours[name]), np.isnan(theirs[name])), name
        apart = np.abs(ours[name] - theirs[name])
        assert np.nanmax(apart - 1e-12 * ours[f"{name} scale"]) <= 1e-290, name
