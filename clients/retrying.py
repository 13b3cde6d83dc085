"""When to try again, and when to give up: decided here, slept elsewhere."""

from __future__ import annotations

import random
import time
from typing import Final

import grpc

from skewline.clients.errors import ClientClosed, SkewlineError
from skewline.clients.options import ClientOptions

_SPREAD: Final = 0.25
# A subscriber who was too slow (RESOURCE_EXHAUSTED) resumes from the event log; a server that stops
# cancels what is open.
_BROKEN: Final = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
)


class Attempts:
    """The attempts of one call, all within one deadline.

    Every call of the contract may be repeated: reads change nothing, mutations carry a request_id.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._deadline = time.monotonic() + options.timeout_s
        self._failures = 0

    @property
    def remaining_s(self) -> float:
        """Seconds to the deadline, never quite none."""
        return max(self._deadline - time.monotonic(), 1e-3)

    def pause_after(self, error: SkewlineError) -> float:
        """Seconds to wait before the next attempt; raises `error` when there must be none."""
        self._failures += 1
        asked = error.retry_after is not None
        if not (asked or error.code is grpc.StatusCode.UNAVAILABLE) or isinstance(error, ClientClosed):
            raise error from None
        pause = _pause(self._options, self._failures, error)
        if self._failures >= self._options.attempts or pause >= self.remaining_s:
            raise error from None
        return pause


class Persistence:
    """Opening a stream again and again: a few times at first, for long once it has worked."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._failures = 0
        self._worked = False
        self._broken_at = 0.0

    def worked(self) -> None:
        """Something came."""
        self._worked = True
        self._failures = 0

    def pause_after(self, error: SkewlineError) -> float:
        """Seconds to wait before the stream is opened again; raises `error` when it must not be."""
        if isinstance(error, ClientClosed) or (error.code not in _BROKEN and error.retry_after is None):
            raise error from None
        now = time.monotonic()
        if not self._failures:
            self._broken_at = now
        self._failures += 1
        out_of_time = now - self._broken_at >= self._options.reconnect_for_s
        if out_of_time if self._worked else self._failures >= self._options.attempts:
            raise error from None
        return _pause(self._options, self._failures, error)


def _pause(options: ClientOptions, failures: int, error: SkewlineError) -> float:
    own = min(options.most_pause_s, options.first_pause_s * 2.0 ** min(failures - 1, 30))
    own *= random.uniform(1 - _SPREAD, 1 + _SPREAD)
    return own if error.retry_after is None else max(own, error.retry_after.total_seconds())
