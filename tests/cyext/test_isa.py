"""The instruction-set levels: which is chosen; each passes the accuracy suite; Black's numbers agree."""

from pathlib import Path

import numpy as np
import pytest
from at_level import numbers_at, run_at

from skewline.cyext import black, isa
from skewline.cyext._isa import levels

# Patterns, so that a file which is split stays in; the oracles' own tests need no second run. One run a
# kernel, so that none is long and they share the processors.
SUITES = {
    "black": ("test_black_*.py", "test_implied_vol.py", "test_portfolio.py"),
    "sabr": ("test_sabr*.py", "test_variance_smile.py"),
    "heston": ("test_heston_price.py", "test_heston_calibrate.py"),
    "ou": ("test_ou.py", "test_ou_*.py"),
    "american": ("test_american.py", "test_american_[!d]*.py"),
    "all": ("test_published_values.py", "properties/test_exact_*.py", "properties/test_lanes.py"),
}
OTHERS = [level for level in levels() if level != isa()]


def test_the_highest_level_is_taken_unless_another_is_asked_for() -> None:
    code = "from skewline.cyext import isa; print(isa())"
    assert run_at("", "-c", code).stdout.strip() == levels()[-1]
    for level in levels():
        assert run_at(level, "-c", code).stdout.strip() == level


def test_a_level_that_is_none_is_refused() -> None:
    done = run_at("v9", "-c", "import skewline.cyext")
    assert done.returncode != 0
    assert "SKEWLINE_ISA='v9' is no level; the levels are portable, v2, v3, v4" in done.stderr


@pytest.mark.skipif("v4" in levels(), reason="this processor has every level")
def test_a_level_that_the_processor_lacks_is_refused() -> None:
    done = run_at("v4", "-c", "import skewline.cyext")
    assert done.returncode != 0
    assert f"SKEWLINE_ISA=v4: this processor or build has only {', '.join(levels())}" in done.stderr


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("level", OTHERS)
@pytest.mark.timeout(300)
def test_every_level_passes_the_accuracy_suite(level: str, suite: str) -> None:
    files = [str(file) for pattern in SUITES[suite] for file in Path(__file__).parent.glob(pattern)]
    done = run_at(level, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not oracle", *files)
    assert done.returncode == 0, done.stdout[-4000:]


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
    return {**result, "vol": found.vol, "vol scale": found.vol, "status": found.status}


@pytest.mark.parametrize("level", OTHERS)
def test_levels_agree(level: str, tmp_path: Path) -> None:
    theirs = numbers_at(level, __file__, tmp_path)
    with np.errstate(all="ignore"):
        ours = numbers()
    assert np.array_equal(ours["status"], theirs["status"])
    for name in [key for key in ours if f"{key} scale" in ours]:
        assert np.array_equal(np.isnan(ours[name]), np.isnan(theirs[name])), name
        apart = np.abs(ours[name] - theirs[name])
        assert np.nanmax(apart - 1e-12 * ours[f"{name} scale"]) <= 1e-290, name
