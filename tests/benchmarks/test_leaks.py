import time

import pytest
from memory_in_use import heap, resident
from small_calls import ALL


@pytest.mark.benchmark
@pytest.mark.timeout(300)
def test_memory_does_not_grow_over_a_million_calls() -> None:
    """Each call gets the same share of time, until there were a million in all."""
    for call in ALL.values():
        for _ in range(200):
            call()
    before, used = resident(), heap()
    total, worst = 0, 0
    while total < 1_000_000:
        for call in ALL.values():
            end = time.perf_counter() + 0.05
            while time.perf_counter() < end:
                for _ in range(10):
                    call()
                total += 10
        worst = max(worst, resident() - before)
    kept = -1 if used is None else (heap() or 0) - used
    print(f"\n{total:,} calls: resident +{resident() - before:,} bytes (at most +{worst:,}), heap +{kept:,}")
    assert resident() - before < 4_000_000
    assert kept < 1_000_000
