"""How long a call takes."""

import time
from collections.abc import Callable


def best_of(call: Callable[[], object], repeat: int = 5) -> float:
    """Seconds of the shortest of several runs, after one that warms up."""
    call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
