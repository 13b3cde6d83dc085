from typing import Any

import numpy as np
import pytest

from skewline.cyext import black


def test_a_wrong_type_names_the_argument() -> None:
    words: Any = ["a", "b"]
    with pytest.raises(TypeError, match="strike"):
        black.price(True, 100.0, words, 1.0, 1.0, 0.2)
    with pytest.raises(TypeError, match="is_call"):
        black.price(words, 100.0, 100.0, 1.0, 1.0, 0.2)
    with pytest.raises(TypeError, match="is_call"):
        black.price([0.5, 1.0], 100.0, 100.0, 1.0, 1.0, 0.2)
    with pytest.raises(TypeError, match="is_call"):
        black.price([2, 1], 100.0, 100.0, 1.0, 1.0, 0.2)
    with pytest.raises(TypeError, match="vol"):
        black.price(True, 100.0, 100.0, 1.0, 1.0, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="vol"):
        black.price(True, 100.0, 100.0, 1.0, 1.0, 0.2j)


def test_shapes_that_do_not_fit_are_all_named() -> None:
    with pytest.raises(ValueError, match=r"strike \(3,\), expiry \(2,\)"):
        black.price(True, 100.0, np.ones(3), np.ones(2), 1.0, 0.2)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty(2), ValueError),
        (np.empty(3, dtype=np.float32), TypeError),
        (np.empty(6)[::2], ValueError),
        (np.empty(25, dtype=np.uint8)[1:].view(np.float64), ValueError),
        ([0.0, 0.0, 0.0], TypeError),
    ],
)
def test_out_must_fit(out: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="out"):
        black.price(True, 100.0, np.ones(3), 1.0, 1.0, 0.2, out=out)


def test_integers_lists_and_strided_views_are_taken() -> None:
    strikes = np.arange(60, 140, 5)
    wide = np.empty((strikes.size, 2))
    wide[:, 0] = strikes
    expected = black.price(True, 100.0, strikes.astype(float), 1.0, 1.0, 0.2)
    assert np.array_equal(black.price(1, 100, strikes, 1, 1, 0.2), expected)
    assert np.array_equal(black.price(True, 100.0, wide[:, 0], 1.0, 1.0, 0.2), expected)
    assert np.array_equal(black.price(True, 100.0, strikes.tolist(), 1.0, 1.0, 0.2), expected)
    backwards = strikes[::-1].astype(np.float32)
    assert np.array_equal(black.price(True, 100.0, backwards, 1.0, 1.0, 0.2), expected[::-1])


def test_more_threads_than_a_machine_counts_are_all_there_are() -> None:
    assert black.price(True, 100.0, 100.0, 1.0, 1.0, 0.2, threads=2**70) == black.price(
        *(True, 100.0, 100.0, 1.0, 1.0, 0.2)
    )
