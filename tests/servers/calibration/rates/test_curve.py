"""Discount curves: what they are made from comes back, and between points they are log-linear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dax_rates import DAX_DAYS, DAX_RATES
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.servers.calibration.rates.curve import (
    Curve,
    bill_curve,
    flat_curve,
    par_curve,
    zero_curve,
)


def at(*years: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(years)


def test_zero_rates_come_back_and_discounts_between_are_log_linear() -> None:
    curve = zero_curve({days / 365: rate for days, rate in zip(DAX_DAYS, DAX_RATES, strict=True)})
    assert curve.rate(at(*(days / 365 for days in DAX_DAYS))) == pytest.approx(DAX_RATES, abs=1e-15)
    ends = curve.discount(at(165 / 365, 256 / 365))
    middle = curve.discount(at(210.5 / 365))
    assert float(middle[0]) == pytest.approx(math.sqrt(ends[0] * ends[1]), rel=1e-15)
    assert curve.rate(at(0.0, 1 / 365)) == pytest.approx([0.0357, 0.0357])
    assert curve.rate(at(10.0)) == pytest.approx([0.0401])
    assert float(curve.discount(at(0.0))[0]) == 1.0


def test_a_bill_is_worth_what_its_bank_discount_says() -> None:
    curve = bill_curve([(28, 0.0525), (182, 0.0513)])
    assert curve.discount(at(28 / 365, 182 / 365)) == pytest.approx(
        [1 - 0.0525 * 28 / 360, 1 - 0.0513 * 182 / 360], rel=1e-15
    )


@pytest.mark.parametrize("rate", [-0.005, 0.0, 0.05, 0.3])
def test_flat_par_yields_are_one_zero_rate(rate: float) -> None:
    curve = par_curve({0.5: rate, **{float(years): rate for years in (1, 2, 3, 5, 7, 10, 20, 30)}})
    wanted = 2 * math.log1p(rate / 2)
    assert curve.rate(at(0.5, 1, 2, 5, 10, 30)) == pytest.approx([wanted] * 6, abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-0.01, 0.15), min_size=11, max_size=11))
def test_every_par_bond_is_worth_its_face(yields: list[float]) -> None:
    years = (1 / 12, 0.25, 0.5, 1.0, 1.75, 2.0, 3.0, 5.0, 7.0, 10.0, 30.0)
    # Neighbours so far apart that no discount factors go with them are no market.
    smooth = [0.03 + (each - 0.03) * 0.2 for each in yields]
    curve = par_curve(dict(zip(years, smooth, strict=True)))
    for end, rate in zip(years, smooth, strict=True):
        if end <= 0.5:
            assert float(curve.discount(at(end))[0]) == pytest.approx(1 / (1 + rate * end), rel=1e-14)
            continue
        times = np.arange(end, 1e-6, -0.5)[::-1]
        paid = rate * np.diff(times, prepend=0.0)
        worth = float((paid * curve.discount(times)).sum() + curve.discount(at(end))[0])
        assert worth == pytest.approx(1.0, abs=1e-10)


def test_one_rate_at_all_times() -> None:
    assert flat_curve(0.03).rate(at(0.0, 0.01, 1.0, 50.0)) == pytest.approx([0.03] * 4)


@pytest.mark.parametrize("points", [{}, {0.0: 1.0}, {-1.0: 1.0}, {1.0: 0.0}, {1.0: -0.5}])
def test_what_is_no_curve_is_refused(points: dict[float, float]) -> None:
    with pytest.raises(ValueError, match="points in the future"):
        Curve(points)
