"""An element's answer depends on nothing but the element: neither on its place nor on its neighbours."""

from typing import Any

import numpy as np
import pytest
from kernel_samples import KERNELS, Columns, Kernel, identical, take
from numpy.typing import NDArray

BAD = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300, 1e-300, 5e-324)

every_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)


def some_bad(kernel: Kernel, seed: int) -> Columns:
    """Ordinary elements, one in seven of them spoiled in one column."""
    rng = np.random.default_rng(seed)
    columns = kernel.columns(rng, kernel.size)
    names = [name for name, column in columns.items() if column.dtype == np.float64]
    for i in range(3, kernel.size, 7):
        column = columns[names[rng.integers(len(names))]]
        row = column[i : i + 1].reshape(-1)
        row[rng.integers(row.size)] = rng.choice(BAD)
    return columns


def agree(ours: dict[str, NDArray[Any]], theirs: dict[str, NDArray[Any]], which: Any) -> None:
    for name, value in ours.items():
        assert identical(value[which], theirs[name]), name


@every_kernel
def test_alone_as_in_the_batch(kernel: Kernel) -> None:
    columns = some_bad(kernel, 1)
    whole = kernel(columns)
    for i in range(0, kernel.size, max(kernel.size // 40, 1)):
        agree(whole, kernel(take(columns, slice(i, i + 1))), slice(i, i + 1))


@every_kernel
def test_at_any_place_of_any_batch(kernel: Kernel) -> None:
    columns = some_bad(kernel, 2)
    whole = kernel(columns)
    order = np.random.default_rng(5).permutation(kernel.size)
    agree(whole, kernel(take(columns, order)), order)
    for length in (2, 3, 7, 8, 9, 15, 17):
        part = slice(5, 5 + length)
        agree(whole, kernel(take(columns, part)), part)


@every_kernel
def test_among_any_neighbours(kernel: Kernel) -> None:
    columns = some_bad(kernel, 4)
    whole = kernel(columns)
    rng = np.random.default_rng(6)
    kept = np.zeros(kernel.size, dtype=bool)
    kept[::3] = True
    for column in columns.values():
        if column.dtype == np.float64:
            column[~kept] = rng.choice(BAD, column[~kept].shape)
    spoiled = kernel(columns)
    agree(whole, take(spoiled, kept), kept)


@every_kernel
def test_a_repeated_value_as_a_column_of_it(kernel: Kernel) -> None:
    """Broadcast scalars (stride 0) and strided columns are the same numbers."""
    if kernel.name.startswith(("sabr.calibrate_many", "ou.fit_many")):
        pytest.skip("takes rows, not scalars")
    columns = kernel.columns(np.random.default_rng(7), min(kernel.size, 19))
    full = {name: np.full_like(column, column[0]) for name, column in columns.items()}
    for name in ("strike", "price"):
        if name in columns:
            full[name] = columns[name]
    expected = kernel(full)
    scalars = {name: full[name] if name in ("strike", "price") else full[name][:1] for name in full}
    agree(expected, kernel(scalars), slice(None))
    strided = {name: np.repeat(column, 2)[::2] for name, column in full.items()}
    agree(expected, kernel(strided), slice(None))
