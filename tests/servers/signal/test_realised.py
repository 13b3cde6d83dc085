import math

import numpy as np
import pytest

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.realised import SpotHistory

SETTINGS = SignalSettings()
DAY_NS = 86_400_000_000_000


def history(vol: float, days: int, seed: int = 1) -> SpotHistory:
    returns = vol * math.sqrt(1 / 365) * np.random.default_rng(seed).standard_normal(days)
    spots = 100.0 * np.exp(np.concatenate(([0.0], np.cumsum(returns))))
    return SpotHistory(tuple((day * DAY_NS, float(spot)) for day, spot in enumerate(spots)))


def test_the_vol_behind_the_spots_is_found_within_its_error() -> None:
    found = [history(0.3, 60, seed).realised(SETTINGS) for seed in range(50)]
    vols = np.array([each.vol for each in found if each is not None])
    assert vols.mean() == pytest.approx(0.3, abs=0.02)
    first = found[0]
    assert first is not None
    assert vols.std() == pytest.approx(first.stderr, rel=0.4)


def test_a_split_is_no_return() -> None:
    spots = history(0.3, 30).spots
    split = SpotHistory(tuple((time, spot / 7 if at > 15 else spot) for at, (time, spot) in enumerate(spots)))
    found, plain = split.realised(SETTINGS), SpotHistory(spots).realised(SETTINGS)
    assert found is not None
    assert plain is not None
    assert found.vol == pytest.approx(plain.vol, rel=0.25)


def test_a_short_history_says_nothing() -> None:
    assert history(0.3, 3).realised(SETTINGS) is None
    assert SpotHistory().realised(SETTINGS) is None
    minutes = SpotHistory(tuple((n * 60_000_000_000, 100.0 + n % 3) for n in range(200)))
    assert minutes.realised(SETTINGS) is None


def test_unknown_and_older_spots_are_not_taken() -> None:
    known = SpotHistory(((10, 100.0),))
    assert known.after(20, float("nan"), 5) == known
    assert known.after(5, 99.0, 5) == known
    assert known.after(20, 101.0, 1).spots == ((20, 101.0),)
