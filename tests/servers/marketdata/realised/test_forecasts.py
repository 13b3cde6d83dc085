"""Models against known parameters, a recursion of one's own, exact relations, SPY and the VIX."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skewline.servers.marketdata.realised import estimators, forecasts
from skewline.servers.marketdata.realised.estimators import Doubles

OMEGA, ALPHA, BETA = 2e-6, 0.08, 0.9


def simulated_close(count: int) -> Doubles:
    draw = np.random.default_rng(7).standard_normal(count)
    variance, returns = OMEGA / (1 - ALPHA - BETA), []
    for shock in draw:
        returns.append(math.sqrt(variance) * shock)
        variance = OMEGA + ALPHA * returns[-1] ** 2 + BETA * variance
    return np.asarray(100.0 * np.exp(np.cumsum([0.0, *returns])))


def test_garch_finds_the_parameters_of_a_long_path() -> None:
    fit = forecasts.garch(simulated_close(6000))
    assert fit.converged
    assert fit.alpha == pytest.approx(ALPHA, abs=0.02)
    assert fit.beta == pytest.approx(BETA, abs=0.03)
    assert fit.long_run == pytest.approx(math.sqrt(OMEGA / (1 - ALPHA - BETA)), rel=0.1)


def test_garch_forecasts_what_its_recursion_gives() -> None:
    close = simulated_close(2500)
    fit = forecasts.garch(close)
    returns = np.diff(np.log(close))
    errors = returns - returns.mean()
    variance, likelihood = float(np.mean(errors**2)), 0.0
    for error in errors:
        likelihood -= 0.5 * (math.log(2 * math.pi * variance) + error**2 / variance)
        variance = fit.omega + fit.alpha * error**2 + fit.beta * variance
    # the fitted mean and the first variance are the fit's own: a little of both is left
    assert fit.forecast == pytest.approx(math.sqrt(variance), rel=0.01)
    assert fit.log_likelihood == pytest.approx(likelihood, abs=5.0)


def test_har_continues_a_series_that_keeps_to_it() -> None:
    seen = np.random.default_rng(3).uniform(1e-4, 4e-4, 22).tolist()
    for _ in range(200):
        seen.append(2e-5 + 0.35 * seen[-1] + 0.3 * np.mean(seen[-5:]) + 0.25 * np.mean(seen[-22:]))
    assert forecasts.har(np.array(seen[:-1])) == pytest.approx(math.sqrt(seen[-1]), rel=1e-6)


def test_har_never_leaves_what_was_seen() -> None:
    seen = np.exp(np.linspace(-10.0, -6.0, 150))
    assert forecasts.har(seen) <= math.sqrt(seen.max()) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("close", "words"),
    [
        (np.full(100, 5.0), "close must be one series of at least 101"),
        (np.full(101, 5.0), "the returns do not differ"),
        (np.r_[simulated_close(120), np.nan], "close must be above 0 and finite throughout"),
        (np.r_[simulated_close(120), 0.0], "close must be above 0"),
        (np.ones((2, 200)), "of shape"),
    ],
)
def test_garch_refuses_rubbish(close: Doubles, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        forecasts.garch(close)


@pytest.mark.parametrize("variance", [np.ones(99), np.r_[np.ones(120), -1.0], np.r_[np.ones(120), np.inf]])
def test_har_refuses_rubbish(variance: Doubles) -> None:
    with pytest.raises(ValueError, match="variance must be"):
        forecasts.har(variance)


def spy(market_data: Path) -> tuple[list[str], Doubles]:
    """Days, and their open, high, low, close as rows."""
    with zipfile.ZipFile(market_data / "lean/equity/usa/daily/spy.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    return [row[0][:8] for row in rows], np.array([[float(x) for x in row[1:5]] for row in rows]).T / 1e4


def test_each_follows_the_vix_on_spy(market_data: Path) -> None:
    days, (o, h, low, c) = spy(market_data)
    with gzip.open(market_data / "vix" / "vix-daily.csv.gz", "rt") as lines:
        rows = list(csv.reader(lines))[1:]
    closes = {f"{d[6:]}{d[:2]}{d[3:5]}" if "/" in d else d.replace("-", ""): float(v) for d, *_, v in rows}
    # highs and lows before are full of prints far off the market: ranges say 29 % for 2004, closes 11 %
    at = [i for i in range(len(days)) if days[i] > "20070201" and days[i] in closes]
    vix = np.array([closes[days[i]] for i in at]) / 100.0
    window = np.array(at)[:, None] + np.arange(-20, 1)
    found = {
        "close_to_close": estimators.close_to_close(c[window]),
        "parkinson": estimators.parkinson(h[window], low[window]),
        "garman_klass": estimators.garman_klass(o[window], h[window], low[window], c[window]),
        "rogers_satchell": estimators.rogers_satchell(o[window], h[window], low[window], c[window]),
        "yang_zhang": estimators.yang_zhang(o[window], h[window], low[window], c[window]),
        "ewma": estimators.ewma(c[window]),
    }
    assert len(at) > 3400
    for name, vol in found.items():
        assert np.corrcoef(vol, vix)[0, 1] > 0.8, name
        assert 0.4 < np.median(vol * math.sqrt(252)) / np.median(vix) < 1.0, name
    last = slice(-1500, None)
    fit = forecasts.garch(c[last])
    assert fit.converged
    assert 0.9 < fit.alpha + fit.beta < 1.0
    overnight = np.log(o[1:] / c[:-1])[last]
    own = estimators.garman_klass(*(prices[1:, None][last] for prices in (o, h, low, c))) ** 2
    assert 0.3 < forecasts.har(own + overnight**2) / fit.forecast < 1.5
