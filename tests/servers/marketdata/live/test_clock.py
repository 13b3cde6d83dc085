"""Waiting for a wall clock."""

from __future__ import annotations

from skewline.servers.marketdata.live.clock import sleep_until


class Suspended:
    """A machine that sleeps through half a day: its wall clock goes on, and the other one does not."""

    def __init__(self) -> None:
        self.now_s = 0
        self.slept: list[float] = []

    def time_ns(self) -> int:
        return self.now_s * 10**9

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += 43_200 if len(self.slept) == 3 else round(seconds)


async def test_after_the_machine_was_suspended_it_is_late_by_a_minute_at_most() -> None:
    clock = Suspended()
    await sleep_until(clock, 36_000 * 10**9)
    assert len(clock.slept) == 3
    assert max(clock.slept) <= 60.0


async def test_what_is_past_is_not_waited_for() -> None:
    clock = Suspended()
    await sleep_until(clock, -1)
    assert clock.slept == []
