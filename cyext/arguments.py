"""Checks and broadcasts the arguments of a kernel: a wrong shape or type is not bad market data."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Doubles: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.uint8]
Codes: TypeAlias = NDArray[np.int32]
Indices: TypeAlias = NDArray[np.int64]

_MOST_THREADS = int(np.iinfo(np.intc).max)


def doubles(name: str, value: ArrayLike) -> Doubles:
    """`value` as aligned float64; TypeError if it does not hold real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    # A field of packed records may lie at any address; compiled code may only read doubles at their own.
    return array.astype(np.float64, copy=not array.flags.aligned)


def number(name: str, value: float) -> float:
    """`value` as a float; TypeError if it is not a real number, ValueError if it is several."""
    array = doubles(name, value)
    if array.ndim:
        raise ValueError(f"{name} must be one number, not of shape {array.shape}")
    return float(array)


def flags(name: str, value: ArrayLike) -> Flags:
    """`value` as bytes, 0 or not; TypeError if it holds anything but booleans or the integers 0 and 1."""
    array = np.asarray(value)
    if array.dtype.kind in "iu" and bool(np.all((array == 0) | (array == 1))):
        return array.astype(np.uint8)
    if array.dtype.kind != "b":
        raise TypeError(f"{name} must hold booleans, not {array.dtype}")
    return array.view(np.uint8)


def vector(name: str, value: ArrayLike) -> Doubles:
    """`value` as a contiguous one-dimensional float64 array; ValueError if it has another shape."""
    array = doubles(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {array.shape}")
    return np.ascontiguousarray(array)


def same_length(length: int, **vectors: Doubles) -> None:
    """ValueError naming the vector that is not `length` long."""
    for name, array in vectors.items():
        if array.shape != (length,):
            raise ValueError(f"{name} must have {length} elements, not {array.size}")


def ragged(offsets: ArrayLike, points: int, **each: Doubles) -> Indices:
    """Where each ragged row begins and ends: int64, one longer than the vector that has an element a row.

    TypeError if they are not integers, ValueError unless they rise from 0 to the number of `points`.
    """
    ((name, rows),) = each.items()
    starts = np.asarray(offsets)
    if starts.dtype.kind not in "iu":
        raise TypeError(f"offsets must hold integers, not {starts.dtype}")
    starts = np.require(starts, np.int64, ["C", "A"])
    if starts.shape != (rows.size + 1,):
        raise ValueError(
            f"offsets must have {rows.size + 1} elements (one more than {name}), not {starts.size}"
        )
    if starts[0] != 0 or starts[-1] != points or bool(np.any(np.diff(starts) < 0)):
        raise ValueError(f"offsets must rise from 0 to the number of strikes ({points})")
    return starts


def thread_count(threads: int) -> int:
    """A valid number of threads; ValueError below 1."""
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise TypeError(f"threads must be an int, not {type(threads).__name__}")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return min(threads, _MOST_THREADS)


class Broadcast:
    """The arguments of an element-wise kernel, flattened to one common length.

    A single value is repeated without being copied (stride 0), and a column is read where it lies: copies are
    made by one thread, while the kernel's others wait. What `result` was given as `out` may be an argument
    too, or overlap one: as with NumPy's ufuncs the answer is that of an `out` of its own.
    """

    def __init__(self, **arguments: NDArray[Any]) -> None:
        # Nearly always single values and columns of one shape; NumPy's general way is half of a short call.
        shapes = {array.shape for array in arguments.values()} - {()}
        try:
            self.shape = np.broadcast_shapes(*shapes) if len(shapes) > 1 else next(iter(shapes), ())
        except ValueError:
            told = ", ".join(f"{name} {array.shape}" for name, array in arguments.items())
            raise ValueError(f"these shapes do not broadcast together: {told}") from None
        self.size = math.prod(self.shape)
        self._out: Doubles | None = None

    def flat(self, array: NDArray[Any]) -> NDArray[Any]:
        """One-dimensional view (or copy, where it must be) of `array` at the common shape; after `result`."""
        if self._out is not None and np.may_share_memory(array, self._out):
            array = array.copy()
        if array.size == 1:
            return np.ndarray((self.size,), array.dtype, array, strides=(0,))
        if array.shape == (self.size,):
            return array
        return np.ascontiguousarray(np.broadcast_to(array, self.shape)).reshape(-1)

    def result(self, out: Doubles | None = None, rows: tuple[int, ...] = ()) -> Doubles:
        """A fresh array of the common shape (under leading `rows`), or `out` when it fits."""
        shape = (*rows, *self.shape)
        if out is None:
            return np.empty(shape, dtype=np.float64)
        if not isinstance(out, np.ndarray) or out.dtype != np.float64:
            raise TypeError("out must be a float64 array")
        if out.shape != shape:
            raise ValueError(f"out must have shape {shape}, not {out.shape}")
        if not out.flags.carray:
            raise ValueError("out must be C-contiguous, aligned and writeable")
        self._out = out
        return out
