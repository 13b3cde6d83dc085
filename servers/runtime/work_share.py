"""Work that processes share: each takes one message at a time, from whichever queue has one."""

from __future__ import annotations

import asyncio


class WorkShare:
    """One process's share in queues that `processes` pull from, each by a consumer of its own a queue.

    A queue's consumer on the server gives out one message at a time, so that the order within a queue is kept
    whoever takes it. A pull request cannot be taken back: what arrives while the process is at work goes back
    for another that is idle, once; the second time it waits here.
    """

    def __init__(self, processes: int) -> None:
        self.work = asyncio.Lock()
        """Held while the process works on a message."""
        self._alone = processes == 1

    def declines(self, delivery: int) -> bool:
        """Whether a message that arrives now, for the `delivery`th time, goes back."""
        return not self._alone and delivery == 1 and self.work.locked()

    async def idle(self) -> None:
        """Until the message in hand, and those that wait already, are done with."""
        async with self.work:
            return
