from __future__ import annotations

import asyncio
from contextlib import suppress

from skewline.servers.runtime.ending import end


async def test_a_task_that_lost_its_cancellation_is_told_again() -> None:
    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    await asyncio.wait_for(end(task, again_s=0.01), 5.0)
    assert task.cancelled()


async def test_tasks_that_failed_or_are_over_do_not_keep_the_others_from_ending() -> None:
    async def failing() -> None:
        raise ValueError("no")

    async def idle() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(failing()), asyncio.create_task(idle())]
    await asyncio.sleep(0)
    await end(*tasks)
    assert [task.cancelled() for task in tasks] == [False, True]
