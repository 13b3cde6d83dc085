"""Calls leave no memory behind: answers, bad elements, refusals. For a million see tests/benchmarks."""

import os

import pytest
from memory_in_use import growth_of_a_call
from small_calls import ALL

pytestmark = pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer's malloc does not say what is in use"
)


@pytest.mark.parametrize("name", ALL)
def test_a_call_leaves_nothing_behind(name: str) -> None:
    bytes_, blocks = growth_of_a_call(ALL[name], 200)
    assert bytes_ < 8.0
    assert blocks < 0.25


def test_a_leak_would_be_seen() -> None:
    kept: list[bytearray] = []
    bytes_, blocks = growth_of_a_call(lambda: kept.append(bytearray(1000)), 200)
    assert bytes_ > 900.0 or blocks > 1.0
