"""Calls of a library that blocks, beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest
from waiting import until

from skewline.servers.marketdata.live.blocking import blocking


async def test_calls_run_one_after_another_in_one_thread_that_ends_with_the_block() -> None:
    async with blocking("library") as thread:
        first, second = await asyncio.gather(
            thread.run(threading.current_thread), thread.run(threading.current_thread)
        )
        assert first is second
        assert (first.name, first.daemon) == ("library", True)
    await until(lambda: not first.is_alive())


async def test_whoever_asked_has_the_error() -> None:
    async with blocking("library") as thread:
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 // 0)
        assert await thread.run(lambda: 1) == 1


async def test_a_call_that_hangs_is_given_up_and_holds_up_nobody() -> None:
    released = threading.Event()
    async with blocking("library") as thread:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await thread.run(released.wait)
        waiting = asyncio.ensure_future(thread.run(lambda: 2))
        released.set()
        assert await waiting == 2
