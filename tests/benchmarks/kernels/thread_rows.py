"""What a second thread brings to each kernel, and how a Python thread fares meanwhile."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from every_kernel import KERNELS, kernel
from table_row import NO_TARGET, Row, Rows, Unit
from thread_gain import gain, halves

#: Of the usual sizes: some 10 to 30 ms on one thread. A second is for work that is not over at once.
_SHARE = 8.0


def rows() -> Rows:
    """Every kernel on two threads and on one, in turns; into the same `out` each time where there is one."""
    if (os.cpu_count() or 1) < 2:
        yield Row("two threads", reason="this machine has one processor")
        return
    for name in KERNELS:
        call = kernel(name, _SHARE, reuse=True)
        alone = [array.copy() for array in call(1)]
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(alone, call(2), strict=True))
        work = f"{name}, size {int(KERNELS[name][1] * _SHARE):,}"
        yield gain(work, call, "bit-identical" if same else "NOT the same numbers", same)
    yield _copying()
    yield _counting()


def _copying() -> Row:
    """What the memory allows: a plain copy of as much as the kernels at most read and write."""
    source = np.ones((2, 10_000_000))
    target = np.empty_like(source)
    with ThreadPoolExecutor(1) as pool:
        copy = halves(lambda which: np.copyto(target[which], source[which]), pool)
        return gain(
            "a plain copy of 160 MB", copy, "bounds what is read and written once", True, target=NO_TARGET
        )


def _counting() -> Row:
    """How fast a Python thread counts while another is in a kernel, against counting alone."""
    call = kernel("american.price", 20.0)
    alone, _ = _count(threading.Event(), 0.3)
    done = threading.Event()
    lasted: list[float] = []

    def work() -> None:
        end = time.perf_counter() + 1.0
        while time.perf_counter() < end:
            start = time.perf_counter()
            call(1)
            lasted.append(time.perf_counter() - start)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    rate, pause = _count(done, 60.0)
    worker.join()
    return Row(
        "a Python thread counts while a kernel works",
        ours=rate / alone,
        accuracy=f"longest pause {pause * 1e3:.1f} ms beside calls of {min(lasted) * 1e3:.0f} ms",
        peer="counting alone",
        threads=1,
        unit=Unit.GAIN,
    )


def _count(until: threading.Event, seconds: float) -> tuple[float, float]:
    """Counts a second, and the longest time between two of them."""
    counted, pause = 0, 0.0
    begin = last = time.perf_counter()
    while not until.is_set() and last - begin < seconds:
        now = time.perf_counter()
        pause, last = max(pause, now - last), now
        counted += 1
    return counted / (last - begin), pause
