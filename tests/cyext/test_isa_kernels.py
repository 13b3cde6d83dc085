"""Kernels give the same answers at every instruction-set level, most to the bit (Black's: test_isa.py)."""

from typing import Any, TypeAlias

import level_answers
import numpy as np
import pytest
from at_level import numbers_at
from kernel_samples import identical
from level_answers import TOLERANCES
from numpy.typing import NDArray

from skewline.cyext import isa
from skewline.cyext._isa import levels

Answers: TypeAlias = dict[str, NDArray[Any]]

LEVELS = ("portable", "v2", "v3", "v4")


@pytest.fixture(scope="module")
def ours() -> dict[str, Answers]:
    with np.errstate(all="ignore"):
        return level_answers.answers()


@pytest.fixture(scope="module", params=[level for level in LEVELS if level != isa()])
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    level: str = request.param
    if level not in levels():
        pytest.skip(f"this processor or build has only {', '.join(levels())}")
    return numbers_at(level, level_answers.__file__, tmp_path_factory.mktemp(level))


def scale(kernel: str, field: str, value: NDArray[Any]) -> NDArray[Any]:
    """What a difference is measured by: the value, or that of which it is a small part."""
    size: NDArray[Any] = np.abs(value)
    if kernel in ("heston.price", "portfolio.matrix"):
        size = np.fmax(size, 100.0)  # the forward
    if kernel == "sabr.calibrate_many" and field in ("rho", "nu"):
        size = np.fmax(size, 1.0)
    if kernel == "heston.calibrate" and field == "parameters":
        size = np.fmax(size, 1e-2)
    return size


@pytest.mark.parametrize("kernel", [name for name in level_answers.NAMES if name not in TOLERANCES])
def test_the_same_bits(kernel: str, ours: dict[str, Answers], theirs: Answers) -> None:
    for field, value in ours[kernel].items():
        assert identical(value, theirs[f"{kernel}/{field}"]), field


@pytest.mark.parametrize("kernel", TOLERANCES)
def test_agrees(kernel: str, ours: dict[str, Answers], theirs: Answers) -> None:
    told: Any = slice(None)
    if kernel == "sabr.calibrate_many":
        # where a few noisy strikes leave parameters exchangeable, the last digits decide where it ends
        told = ours[kernel]["converged"] & theirs[f"{kernel}/converged"]
        told &= (ours[kernel]["condition"] < 1e4) & (np.abs(ours[kernel]["rho"]) < 0.999)
        assert told.mean() > 0.75
    for field in ours[kernel]:
        value, other = ours[kernel][field][told], theirs[f"{kernel}/{field}"][told]
        if field == "iterations":  # the last digits may decide about one more
            continue
        if value.dtype != np.float64:
            assert np.array_equal(value, other), field
            continue
        assert np.array_equal(np.isnan(value), np.isnan(other)), field
        tolerance: float | NDArray[Any] = 1e-9 if field in ("sse", "rmse") else TOLERANCES[kernel]
        if kernel == "heston.calibrate" and field != "sse":
            # the worse the data tells parameters apart, the farther a difference of the last digits goes
            condition = np.fmax(ours[kernel]["condition"] / 1e2, 1.0)
            tolerance = tolerance * (condition[:, None] if value.ndim == 2 else condition)
        apart = np.nan_to_num(np.abs(value - other), nan=0.0)
        assert (apart <= np.nan_to_num(tolerance * scale(kernel, field, value))).all(), field
