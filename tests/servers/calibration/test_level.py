import math

import numpy as np
import pytest

from skewline.servers.calibration.level import THIRTY_DAYS, atm_vol_at, fit_level
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

SETTINGS = CalibrationSettings()
GOOD, FAILED = surface_pb2.FIT_STATUS_GOOD, surface_pb2.FIT_STATUS_FAILED


def expiry(years: float, vol: float, status: surface_pb2.FitStatus.ValueType = GOOD) -> surface_pb2.VolSlice:
    return surface_pb2.VolSlice(years=years, atm_vol=vol, status=status)


def test_the_level_is_interpolated_in_total_variance() -> None:
    near, far = expiry(20 / 365, 0.2), expiry(50 / 365, 0.3)
    variance = 2 / 3 * 0.2**2 * 20 / 365 + 1 / 3 * 0.3**2 * 50 / 365
    assert atm_vol_at(THIRTY_DAYS, [near, far]) == pytest.approx(math.sqrt(variance / THIRTY_DAYS))


def test_beyond_the_expiries_the_vol_is_flat_and_bad_slices_do_not_count() -> None:
    slices = [expiry(0.05, 9.9, FAILED), expiry(0.2, 0.25), expiry(0.5, 0.3)]
    assert atm_vol_at(THIRTY_DAYS, slices) == 0.25
    assert atm_vol_at(1.0, slices) == 0.3
    assert atm_vol_at(THIRTY_DAYS, slices[:1]) == 0.0


def test_a_level_that_only_rises_has_no_mean_to_go_back_to() -> None:
    history = [(day * 86_400_000_000_000, 0.1 * 1.05**day) for day in range(30)]
    fit = fit_level(history, SETTINGS)
    assert fit.status != GOOD
    assert list(fit.reasons) == ["NO_MEAN_REVERSION"]
    assert all(math.isfinite(value) for field, value in fit.ListFields() if isinstance(value, float))


def reverting(points: int) -> list[tuple[int, float]]:
    """Daily vols around 0.2 whose logarithm keeps half of its distance a day."""
    distance, history = 0.0, []
    for day, shock in enumerate(np.random.default_rng(11).standard_normal(points)):
        distance = 0.5 * distance + 0.05 * shock
        history.append((day * 86_400_000_000_000, 0.2 * math.exp(distance)))
    return history


def test_mean_reversion_over_many_points_is_found() -> None:
    fit = fit_level(reverting(400), SETTINGS)
    assert fit.status == GOOD
    assert math.exp(fit.mean) == pytest.approx(0.2, rel=0.05)
    assert fit.kappa == pytest.approx(365 * math.log(2), rel=0.4)
    assert fit.half_life == pytest.approx(math.log(2) / fit.kappa)


def test_mean_reversion_that_may_be_chance_is_poor() -> None:
    fit = fit_level(reverting(400), CalibrationSettings(ou_min_deviations=50.0))
    assert fit.status == surface_pb2.FIT_STATUS_POOR
    assert list(fit.reasons) == ["MEAN_REVERSION_NOT_SIGNIFICANT"]


def test_weekends_belong_to_the_time_between_points() -> None:
    every_day = reverting(700)
    sessions = [point for day, point in enumerate(every_day) if day % 7 < 5]
    fit, expected = fit_level(sessions, SETTINGS), fit_level(every_day, SETTINGS)
    assert fit.status == GOOD
    assert abs(fit.kappa - expected.kappa) < fit.kappa_stderr
    assert fit.sigma == pytest.approx(expected.sigma, rel=0.05)


def test_what_was_before_months_without_data_says_nothing_of_what_came_after() -> None:
    before, after = reverting(400)[:200], reverting(400)[200:]
    later = [(time + 100 * 86_400_000_000_000, vol) for time, vol in after]
    fit = fit_level([*before, *later], SETTINGS)
    much_later = [(time + 900 * 86_400_000_000_000, vol) for time, vol in after]
    assert fit.kappa == pytest.approx(fit_level([*before, *much_later], SETTINGS).kappa, rel=1e-9)
    assert fit.kappa == pytest.approx(fit_level([*before, *after], SETTINGS).kappa, rel=0.03)


def test_minutes_and_nights_are_fitted_together() -> None:
    """Eight vols a day half an hour apart, of a process that keeps half of its distance a day."""
    half_hour, day = 1_800_000_000_000, 86_400_000_000_000
    rng, distance, history, last = np.random.default_rng(5), 0.0, [], 0
    for time in [date * day + k * half_hour for date in range(250) for k in range(8)]:
        keeps = 0.5 ** ((time - last) / day)
        distance = keeps * distance + 0.05 * math.sqrt(1 - keeps**2) * rng.standard_normal()
        history.append((time, 0.2 * math.exp(distance)))
        last = time
    fit = fit_level(history, SETTINGS)
    assert fit.status == GOOD
    assert abs(fit.kappa - 365 * math.log(2)) < 3 * fit.kappa_stderr
    assert fit.kappa_stderr < 0.15 * fit.kappa
    assert fit.sigma == pytest.approx(0.05 * math.sqrt(2 * 365 * math.log(2)), rel=0.05)


def test_few_random_walks_pass_for_mean_reversion() -> None:
    walks = np.random.default_rng(3).standard_normal((200, 250)).cumsum(axis=1) * 0.03
    taken = [
        fit_level([(day * 86_400_000_000_000, math.exp(x)) for day, x in enumerate(walk)], SETTINGS).status
        for walk in walks.tolist()
    ]
    assert taken.count(GOOD) <= 20
