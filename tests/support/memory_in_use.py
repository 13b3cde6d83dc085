"""How much memory a process has in use, to the byte where the C library tells."""

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path


class _Mallinfo2(ctypes.Structure):
    _fields_ = [
        *((f"other_{i}", ctypes.c_size_t) for i in range(4)),
        ("hblkhd", ctypes.c_size_t),  # in mappings of its own
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),  # in the arena
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


def heap() -> int | None:
    """Bytes that the main thread's malloc has given out; None where that cannot be asked (glibc < 2.33)."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        return None
    ask.restype = _Mallinfo2
    answer = ask()
    return int(answer.uordblks + answer.hblkhd)


def resident() -> int:
    """Bytes of memory that the process occupies; where /proc is missing, that it ever did."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def growth_of_a_call(call: Callable[[], object], times: int, rounds: int = 5) -> tuple[float, float]:
    """Bytes of the heap and objects of Python that one call leaves behind: the least of several rounds.

    What is made once and kept (caches, a longer free list) shows up in some rounds, a leak in each.
    """
    least = [float("inf"), float("inf")]
    for _ in range(times // 10 + 1):
        call()
    gc.collect()
    gc.freeze()  # so that to collect below is quick
    try:
        before = _in_use()
        for _ in range(rounds):
            for _ in range(times):
                call()
            gc.collect()
            after = _in_use()
            least = [min(a, (b - c) / times) for a, b, c in zip(least, after, before, strict=True)]
            before = after
            if least[0] < 1.0 and least[1] < 0.1:
                break
    finally:
        gc.unfreeze()
    return least[0], least[1]


def _in_use() -> tuple[int, int]:
    return heap() or 0, sys.getallocatedblocks()
