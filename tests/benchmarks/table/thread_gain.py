"""What a second thread brings, told apart from what the machine withholds."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stopwatch import race
from table_row import Row, Target, Unit

TWO_THREADS = Target(1.8, 1.95)

#: Does the work with so many threads.
Call = Callable[[int], object]

# Two processors of a rented machine are at times two threads of one core: then nothing gains more than 1.3.
_TWO_CORES = 1.7
_FEWEST = 0.2
_DIGESTS = 80


@dataclass(frozen=True, slots=True)
class Gain:
    """In the middle of the turns in which the machine gave two whole processors; `share` of all were such."""

    kernel: float
    digests: float
    share: float


def gain_of(kernel: Sequence[float], digests: Sequence[float]) -> Gain:
    """From both gains of every turn; of all turns where too few were whole, so that there is a number."""
    whole = [both for both in zip(kernel, digests, strict=True) if both[1] >= _TWO_CORES]
    share = len(whole) / len(kernel)
    if share < _FEWEST:
        whole = list(zip(kernel, digests, strict=True))
    ours, plain = zip(*whole, strict=True)
    return Gain(statistics.median(ours), statistics.median(plain), share)


def halves(half: Callable[[int], object], pool: ThreadPoolExecutor) -> Call:
    """Both halves of some work in one thread, or the second of them in the pool's."""

    def call(threads: int) -> None:
        second = pool.submit(half, 1) if threads == 2 else None
        half(0)
        half(1) if second is None else second.result()

    return call


def gain(
    work: str, call: Call, accuracy: str, exact: bool, *, target: Target = TWO_THREADS, seconds: float = 4.0
) -> Row:
    """How many times faster `call(2)`, on two threads, is than `call(1)`.

    Digests (no memory, no lock, no kernel of ours) take turns with it: they say what two threads can gain.
    """
    content = bytes(1 << 16)

    def digests(_which: int) -> None:
        for _ in range(_DIGESTS):
            hashlib.sha256(content)

    with ThreadPoolExecutor(1) as pool:
        plain = halves(digests, pool)
        one, two, plain_one, plain_two = race(
            *(lambda: call(1), lambda: call(2), lambda: plain(1), lambda: plain(2)),
            seconds=seconds,
            clock=time.perf_counter,
        )
    gained = gain_of(two.gains_over(one), plain_two.gains_over(plain_one))
    return Row(
        work=work,
        ours=gained.kernel,
        accuracy=(
            f"{accuracy}; {one.best * 1e3:.1f} ms on one; digests beside it {gained.digests:.2f}×,"
            f" in {gained.share:.0%} of turns"
        ),
        exact=exact,
        peer="one thread",
        floor=target.floor,
        goal=target.goal,
        threads=2,
        unit=Unit.GAIN,
        spread=max(one.spread, two.spread),
    )
