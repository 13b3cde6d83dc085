"""Where a subscription is: what to ask for when it is opened (again), and what its responses mean."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from skewline.clients.questions import Gap, Subscribe, Update
from skewline.v1 import common_pb2

T = TypeVar("T")


class Position(Generic[T]):
    """The state of one subscription over all of its connections. No I/O."""

    def __init__(self, wanted: Subscribe[T], credit: int) -> None:
        self._wanted = wanted
        self._window = credit
        self._consumed = 0
        self._sequence = wanted.resume_after

    def opening(self) -> Any:
        """The first request on a new connection."""
        self._consumed = 0
        return self._wanted.request(
            subscribe=common_pb2.Subscription(
                underlyings=self._wanted.underlyings, resume_after=self._sequence, credit=self._window
            )
        )

    def received(self, response: Any) -> Update[T] | Gap | None:
        """What `response` brings; None when it only shows that the stream is alive."""
        self._sequence = max(self._sequence, response.sequence)
        item = response.WhichOneof("item")
        if item == "gap":
            gap = response.gap
            return Gap(response.sequence, gap.from_sequence, gap.to_sequence, gap.reason, gap.skipped)
        if item in self._wanted.contents:
            return Update(response.sequence, getattr(response, item), item == "snapshot")
        return None

    def consumed(self, item: Update[T] | Gap) -> Any | None:
        """The caller is done with `item`: the request that grants more, from time to time."""
        if isinstance(item, Gap):
            return None  # it took no credit
        self._consumed += 1
        if 2 * self._consumed < self._window:
            return None
        granted, self._consumed = self._consumed, 0
        return self._wanted.request(credit=common_pb2.Credit(updates=granted))
