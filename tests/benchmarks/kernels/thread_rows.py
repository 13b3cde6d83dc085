"""What a second thread brings to each kernel."""

from __future__ import annotations

import os

import numpy as np
from every_kernel import KERNELS, kernel
from table_row import Row, Rows, gain


def rows() -> Rows:
    """Every kernel on two threads and on one, in turns."""
    if (os.cpu_count() or 1) < 2:
        yield Row("two threads", reason="this machine has one processor")
        return
    for name in KERNELS:
        call = kernel(name, 2.0)
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(call(1), call(2), strict=True))
        yield gain(name, call, "bit-identical" if same else "NOT the same numbers", same)
